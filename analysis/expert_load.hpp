// How evenly tokens spread over experts, and the experts' work over the ranks that share it.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// Tokens of each expert over the mean of its layer, [row * experts + expert]; 0 in a layer without tokens.
[[nodiscard]] std::vector<double> relative_loads(const record::ExpertLoad& load);

// What the experts of one rank compute of one pass in one layer.
struct ExpertStep {
  double start = 0; // s
  double end = 0;   // s
  double load = 0;  // FLOPs over the mean of the ranks of the group in this step
  std::int32_t layer = 0;
  std::int32_t micro_batch = 0;
  std::uint8_t phase = 0;
};

// Ranks that send tokens to one another: those that differ in ep alone, in its order.
struct ExpertGroup {
  std::vector<std::uint32_t> ranks;
  std::vector<std::vector<ExpertStep>> steps; // per rank, in order of time
  double max_over_mean = 0;                   // FLOPs of a step's busiest rank over its mean one, mean over the steps
};

// Of all groups the one with the largest max_over_mean; of equals the first. Without ranks in a run without experts.
[[nodiscard]] ExpertGroup least_even_group(const record::RunRecord& run);

} // namespace moesim::analysis
