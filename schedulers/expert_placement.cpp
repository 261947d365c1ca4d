#include "schedulers/expert_placement.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace moesim::schedulers {
namespace {

ExpertPlacement empty_placement(const PlacementShape& shape) {
  return {shape.ranks, shape.experts,
          std::vector<std::int64_t>(static_cast<std::size_t>(shape.experts + shape.redundant))};
}

// Redundant experts that fill the ranks' slots: the nearest numbers below and above.
std::string nearest_redundant(const PlacementShape& shape) {
  const std::int64_t below = (shape.experts + shape.redundant) / shape.ranks * shape.ranks - shape.experts;
  const std::int64_t above = below + shape.ranks;
  return below < 0 ? fmt::format("{}", above) : fmt::format("{} or {}", below, above);
}

} // namespace

std::span<const std::int64_t> ExpertPlacement::experts_of(std::int64_t rank) const {
  return std::span(expert_of_slot)
      .subspan(static_cast<std::size_t>(rank * slots_per_rank()), static_cast<std::size_t>(slots_per_rank()));
}

std::vector<std::vector<std::int64_t>> ExpertPlacement::slots_of_experts() const {
  std::vector<std::vector<std::int64_t>> result(static_cast<std::size_t>(experts));
  for (std::size_t slot = 0; slot < expert_of_slot.size(); ++slot)
    result[static_cast<std::size_t>(expert_of_slot[slot])].push_back(static_cast<std::int64_t>(slot));
  return result;
}

std::vector<std::int64_t> ExpertPlacement::replicas() const {
  std::vector<std::int64_t> result(static_cast<std::size_t>(experts));
  for (const std::int64_t expert : expert_of_slot)
    ++result[static_cast<std::size_t>(expert)];
  return result;
}

std::string refusal(const PlacementShape& shape) {
  const auto [experts, redundant, ranks, nodes, groups] = shape;
  if (experts < 1 || redundant < 0 || ranks < 1 || nodes < 1 || groups < 1)
    return "experts, ranks, nodes and groups are at least 1, and redundant experts at least 0";
  if ((experts + redundant) % ranks != 0)
    return fmt::format("{} experts and {} redundant ones do not fill equally many slots on {} ranks; use {} redundant",
                       experts, redundant, ranks, nearest_redundant(shape));
  if ((experts + redundant) / ranks > experts)
    return fmt::format(
        "{} slots on each rank are more than the {} experts, so that a rank would hold one twice; use at "
        "most {} redundant",
        (experts + redundant) / ranks, experts, experts * (ranks - 1));
  if (ranks % nodes != 0)
    return fmt::format("{} ranks are not equally many on each of {} nodes", ranks, nodes);
  if (experts % groups != 0)
    return fmt::format("{} experts do not form {} groups of equally many", experts, groups);
  return "";
}

std::vector<std::string> problems(const ExpertPlacement& placement) {
  std::vector<std::string> result;
  if (placement.ranks < 1 || placement.experts < 1)
    return {"a placement has at least 1 rank and 1 expert"};
  if (placement.slots() % placement.ranks != 0)
    result.push_back(
        fmt::format("{} slots are not equally many on each of {} ranks", placement.slots(), placement.ranks));
  std::vector<bool> placed(static_cast<std::size_t>(placement.experts));
  for (std::size_t slot = 0; slot < placement.expert_of_slot.size(); ++slot) {
    const std::int64_t expert = placement.expert_of_slot[slot];
    if (expert < 0 || expert >= placement.experts)
      result.push_back(
          fmt::format("slot {} holds expert {}; experts are 0 to {}", slot, expert, placement.experts - 1));
    else
      placed[static_cast<std::size_t>(expert)] = true;
  }
  for (std::size_t expert = 0; expert < placed.size(); ++expert)
    if (!placed[expert])
      result.push_back(fmt::format("expert {} has no slot; each needs one at least", expert));
  return result;
}

ExpertPlacement contiguous_placement(const PlacementShape& shape) {
  ExpertPlacement placement = empty_placement(shape);
  for (std::int64_t slot = 0; slot < placement.slots(); ++slot)
    placement.expert_of_slot[static_cast<std::size_t>(slot)] = slot % shape.experts;
  return placement;
}

ExpertPlacement round_robin_placement(const PlacementShape& shape) {
  ExpertPlacement placement = empty_placement(shape);
  const std::int64_t per_rank = placement.slots_per_rank();
  for (std::int64_t i = 0; i < placement.slots(); ++i)
    placement.expert_of_slot[static_cast<std::size_t>(i % shape.ranks * per_rank + i / shape.ranks)] =
        i % shape.experts;
  return placement;
}

std::vector<double> rank_loads(const ExpertPlacement& placement, std::span<const double> expert_loads) {
  const std::vector<std::int64_t> replicas = placement.replicas();
  std::vector<double> result(static_cast<std::size_t>(placement.ranks));
  for (std::int64_t slot = 0; slot < placement.slots(); ++slot) {
    const auto expert = static_cast<std::size_t>(placement.expert_of_slot[static_cast<std::size_t>(slot)]);
    result[static_cast<std::size_t>(placement.rank_of_slot(slot))] +=
        expert_loads[expert] / static_cast<double>(replicas[expert]);
  }
  return result;
}

double max_rank_load(const ExpertPlacement& placement, std::span<const double> expert_loads) {
  return std::ranges::max(rank_loads(placement, expert_loads));
}

} // namespace moesim::schedulers
