#include "schedulers/replica_split.hpp"

namespace moesim::schedulers {
namespace {

// Of an expert's slots, those that the source sends to.
std::vector<std::int64_t> chosen_slots(const std::vector<std::int64_t>& slots, const ExpertPlacement& placement,
                                       std::int64_t source, ReplicaChoice choice, std::int64_t nodes) {
  if (choice == ReplicaChoice::Even || slots.size() == 1)
    return slots;
  const std::int64_t ranks_per_node = placement.ranks / nodes;
  std::vector<std::int64_t> near;
  for (const std::int64_t slot : slots)
    if (placement.rank_of_slot(slot) / ranks_per_node == source / ranks_per_node)
      near.push_back(slot);
  return near.empty() ? slots : near;
}

} // namespace

std::vector<std::int64_t> split_over_replicas(std::span<const std::int64_t> copies, const ExpertPlacement& placement,
                                              std::int64_t source, ReplicaChoice choice, std::int64_t nodes) {
  std::vector<std::int64_t> result(placement.expert_of_slot.size());
  const std::vector<std::vector<std::int64_t>> slots_of = placement.slots_of_experts();
  for (std::size_t expert = 0; expert < slots_of.size(); ++expert) {
    const std::vector<std::int64_t> slots = chosen_slots(slots_of[expert], placement, source, choice, nodes);
    const auto count = static_cast<std::int64_t>(slots.size());
    // Sums to `copies`: floor((n + j) / R) over j = 0 .. R - 1 is n.
    const std::int64_t start = source + static_cast<std::int64_t>(expert);
    for (std::int64_t i = 0; i < count; ++i)
      result[static_cast<std::size_t>(slots[static_cast<std::size_t>(i)])] =
          (copies[expert] + (start + i) % count) / count;
  }
  return result;
}

} // namespace moesim::schedulers
