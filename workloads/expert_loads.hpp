// Which token copies go where, for all layers and micro-batches of a job: what its programs are built with.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/graph/token_works.hpp"
#include "workloads/rank_load.hpp"

namespace moesim::workloads {

class Layout;
struct TrainingJob;
struct InferenceJob;

// Micro-batches of equally many tokens are one batch: all of training, and of inference the prefill (0) and the decode
// steps (1).
struct BatchLoad {
  std::uint32_t batch = 0;
  RankLoad load;

  auto operator<=>(const BatchLoad&) const = default;
};

// What a spread (graph::TokenSpread) is to experts, in token copies of the blocks that have experts of their own.
struct SpreadFigures {
  std::vector<double> routed;  // of each expert, over all blocks
  std::vector<double> dropped; // of each expert
  std::vector<double> ranks;   // [block][rank of ep]: what its experts compute, padding included
  double moved = 0;            // that balancing sent elsewhere

  auto operator<=>(const SpreadFigures&) const = default;
};

struct ExpertLoads {
  std::vector<BatchLoad> loads; // all that there are, each once; the table has their places here
  graph::TokenLoads table;
  std::vector<SpreadFigures> figures; // of each spread of the table
  std::uint32_t blocks = 1;           // of the figures: all, or one where they are alike
  // Layers some of whose experts change their ranks before the iteration starts, and the batch whose loads and
  // matrices are those of their weights.
  std::vector<std::int64_t> moving_layers;
  std::uint32_t moving_batch = 0;

  // Every rank has the same in every layer: nothing needs to be told apart.
  [[nodiscard]] bool are_even() const { return loads.empty(); }
};

// The expert-parallel groups are spread over nodes of `gpus_per_node` GPUs. Expected counts are fractions, the same for
// all groups and, unless a trace says otherwise, micro-batches; sampled ones are drawn for each rank, layer and
// micro-batch, and the same in all decode steps of one.
[[nodiscard]] ExpertLoads expert_loads(const TrainingJob& job, const Layout& layout, std::int64_t gpus_per_node);
[[nodiscard]] ExpertLoads expert_loads(const InferenceJob& job, const Layout& layout, std::int64_t gpus_per_node);

} // namespace moesim::workloads
