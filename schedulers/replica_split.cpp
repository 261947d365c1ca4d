#include "schedulers/replica_split.hpp"

namespace moesim::schedulers {
std::vector<std::int64_t> split_over_replicas(std::span<const std::int64_t> copies, const ExpertPlacement& placement,
                                              std::int64_t source) {
  std::vector<std::int64_t> result(placement.expert_of_slot.size());
  const std::vector<std::vector<std::int64_t>> slots_of = placement.slots_of_experts();
  for (std::size_t expert = 0; expert < slots_of.size(); ++expert) {
    const std::vector<std::int64_t>& slots = slots_of[expert];
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
