// How unevenly experts and their ranks are loaded, and what that costs: metrics that README.md defines.
#pragma once

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct ExpertFigures {
  // Tokens of a layer's busiest expert over its average one, and their coefficient of variation: means over the layers.
  double load_max_over_mean = 0;
  double load_cv = 0;
  // The same of the ranks of an expert-parallel group, padding included: means over layers and micro-batches.
  double rank_load_max_over_mean = 0;
  double rank_load_cv = 0;
  double routed_tokens = 0;
  double computed_tokens = 0;
  double dropped_tokens = 0;
  double moved_tokens = 0; // copies that balancing sent elsewhere
  double moved_bytes = 0;  // weights, optimizer states and gradients of experts that it sent
  // What ranks wait for the slowest of their group in the experts' kernels: the longest less the mean, over all steps,
  // of an average rank.
  double imbalance_s = 0;
  // How long a rank's experts take for a micro-batch of a layer, forward: over all of them.
  double latency_p50_s = 0;
  double latency_p99_s = 0;
};

// Requires the run to have experts.
[[nodiscard]] ExpertFigures expert_figures(const record::RunRecord& run);

} // namespace moesim::analysis
