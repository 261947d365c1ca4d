// Which rank of an expert-parallel group holds which experts of a layer. Each rank has equally many slots, a slot holds
// one expert, and an expert may have replicas in several slots: redundant experts, as of EPLB.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moesim::schedulers {

struct ExpertPlacement {
  std::int64_t ranks = 1;
  std::int64_t experts = 1;
  std::vector<std::int64_t> expert_of_slot; // rank by rank

  [[nodiscard]] std::int64_t slots() const { return static_cast<std::int64_t>(expert_of_slot.size()); }
  [[nodiscard]] std::int64_t slots_per_rank() const { return slots() / ranks; }
  [[nodiscard]] std::int64_t rank_of_slot(std::int64_t slot) const { return slot / slots_per_rank(); }
  [[nodiscard]] std::span<const std::int64_t> experts_of(std::int64_t rank) const; // one per slot
  // Slots of an expert, in order.
  [[nodiscard]] std::vector<std::vector<std::int64_t>> slots_of_experts() const;
  [[nodiscard]] std::vector<std::int64_t> replicas() const; // per expert

  bool operator==(const ExpertPlacement&) const = default;
};

// What makes a placement of so many experts impossible: "ranks", "redundant" and so on name the argument. Ranks and
// nodes are those of one expert-parallel group.
struct PlacementShape {
  std::int64_t experts = 1;
  std::int64_t redundant = 0; // replicas beyond one of each
  std::int64_t ranks = 1;
  std::int64_t nodes = 1;  // that the ranks are on, equally many on each, node by node
  std::int64_t groups = 1; // of experts (ModelSpec::moe), in their order
};

// Empty: it can be. Else what is wrong, and what would be right.
[[nodiscard]] std::string refusal(const PlacementShape& shape);

// What is wrong with a placement: slots that are no multiple of the ranks, experts that do not exist or have no slot.
[[nodiscard]] std::vector<std::string> problems(const ExpertPlacement& placement);

// Slot i holds expert i modulo experts: ranks hold runs of experts, as Megatron's do, and with redundant experts the
// first ones are there twice, as vLLM and SGLang begin.
[[nodiscard]] ExpertPlacement contiguous_placement(const PlacementShape& shape);
// Replica i of the same row goes to rank i modulo ranks.
[[nodiscard]] ExpertPlacement round_robin_placement(const PlacementShape& shape);

// Token copies per rank when those of each expert are spread evenly over its replicas.
[[nodiscard]] std::vector<double> rank_loads(const ExpertPlacement& placement, std::span<const double> expert_loads);
[[nodiscard]] double max_rank_load(const ExpertPlacement& placement, std::span<const double> expert_loads);

} // namespace moesim::schedulers
