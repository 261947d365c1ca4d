// What the experts of a rank make of the rows that they get: two grouped products with the activation between them.
#pragma once

#include <cstdint>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {

// Tokens of this rank that are on their way together; rows that its experts get of all ranks' tokens, the experts that
// get any, and how many each of them does.
struct ExpertRows {
  std::int64_t tokens = 0;
  std::int64_t rows = 0;
  std::int64_t experts = 0;
  GroupRows of_experts{};
};

// From rows by sender and back to them. What is a kernel of its own, the shape's `moe_activation` says.
void expert_mlp_forward(SegmentList& list, const RankShape& at, const ExpertRows& load);
void expert_mlp_backward(SegmentList& list, const RankShape& at, const ExpertRows& load);

} // namespace moesim::workloads
