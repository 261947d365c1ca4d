// The timeline of a run as a picture: one lane per pipeline stage, its passes as blocks numbered by micro-batch, and
// beneath them a strip that shows what the rank is seen doing.
#pragma once

#include <string>

#include "analysis/gantt_options.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// The same record and options give the same bytes.
[[nodiscard]] std::string gantt_svg(const record::RunRecord& run, const GanttOptions& options = {});

} // namespace moesim::analysis
