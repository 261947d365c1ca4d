// What a sweep found, as a picture: lines over the first axis, a heat map over the first two, the Pareto front of
// throughput, memory and GPUs, and how much each axis matters.
#pragma once

#include <string>

#include "analysis/sweep_axes.hpp"
#include "simulator/record/sweep_table.hpp"

namespace moesim::analysis {

// A part that needs an axis is left out where there is none. Throws InputError when no point is comparable. The same
// table gives the same bytes. `width` in pixels, of which 96 are an inch.
[[nodiscard]] std::string sweep_svg(const record::SweepTable& table, const SweepFigure& figure, double width);

} // namespace moesim::analysis
