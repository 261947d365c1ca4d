// The timeline of a run as a picture: one lane per pipeline stage, its passes as blocks numbered by micro-batch, and
// beneath them a strip that shows what the rank is seen doing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct GanttOptions {
  std::vector<std::uint32_t> ranks; // empty: the first rank of each pipeline stage
  double width = 1200;              // pixels
};

// The same record and options give the same bytes.
[[nodiscard]] std::string gantt_svg(const record::RunRecord& run, const GanttOptions& options = {});

} // namespace moesim::analysis
