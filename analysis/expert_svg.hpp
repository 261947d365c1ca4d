// Where tokens went, as a picture: a heat map of experts and layers, and the load of each rank of an expert-parallel
// group over time.
#pragma once

#include <string>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// Requires a run with experts. The group is the one whose loads are least even. The same record gives the same bytes.
// `width` in pixels, of which 96 are an inch.
[[nodiscard]] std::string expert_svg(const record::RunRecord& run, double width);

} // namespace moesim::analysis
