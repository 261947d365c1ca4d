// What a group_load() is to each rank that takes part, and what they exchange: loads and matrices, each listed once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "workloads/expert_loads.hpp"
#include "workloads/group_load.hpp"
#include "workloads/layer_options.hpp"

namespace moesim::workloads {

// How a batch is spread over a block: the ranks that hold all experts once, ep x etp of them.
struct BlockShape {
  std::uint32_t batch = 0;
  std::int64_t ep = 1;
  std::int64_t etp = 1;
  double tokens = 0; // of each source; inference may have fractions
  Dispatcher dispatcher = Dispatcher::AllToAll;
  bool may_steal = false;
  // Whether few tokens are expected to leave some experts without any: the mean of many draws, as of inference.
  bool leaves_idle = false;
};

// Of each rank of a block, and of the ranks of ep that share a place in etp: [rank of ep x etp + rank of etp].
struct BlockEntries {
  std::vector<std::uint32_t> loads;
  std::vector<std::uint32_t> matrices;
  std::vector<std::uint32_t> weights; // matrices of weights; empty where none can be sent
};

// Weights of one expert that go from a rank of ep to another.
struct SentWeights {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

class BlockLoads {
public:
  // `result` outlives this.
  explicit BlockLoads(ExpertLoads& result) : result_(result) {}

  // The sources of the load are the ranks of the block, in this order.
  [[nodiscard]] BlockEntries add(const GroupLoad& group, const BlockShape& shape);
  // Nothing but weights that are sent.
  [[nodiscard]] BlockEntries add(const std::vector<SentWeights>& weights, const BlockShape& shape);

private:
  struct ByContent {
    using Pointer = std::shared_ptr<const graph::TokenMatrix>;
    bool operator()(const Pointer& a, const Pointer& b) const;
  };

  std::uint32_t add_load(const BatchLoad& load);
  std::uint32_t add_weights(const std::vector<SentWeights>& weights, const BlockShape& shape);
  std::uint32_t add_matrix(std::shared_ptr<const graph::TokenMatrix> matrix);
  std::uint32_t add_matrix(const GroupLoad& group, const BlockShape& shape, std::int64_t at_etp);

  ExpertLoads& result_;
  std::map<BatchLoad, std::uint32_t> loads_;
  std::map<ByContent::Pointer, std::uint32_t, ByContent> matrices_;
};

} // namespace moesim::workloads
