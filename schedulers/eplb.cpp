#include "schedulers/eplb.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace moesim::schedulers {
namespace {

using Items = std::vector<std::int64_t>;

// Items 0, 1, ... in `packs` packs of equally many.
std::vector<Items> packed(std::span<const double> weights, std::int64_t packs) {
  std::vector<Items> result(static_cast<std::size_t>(packs));
  const std::size_t per_pack = weights.size() / result.size();
  Items by_weight(weights.size());
  std::iota(by_weight.begin(), by_weight.end(), 0);
  if (per_pack > 1) // else there is nothing to balance, and items stay in order
    std::ranges::stable_sort(by_weight, std::greater(),
                             [&](std::int64_t i) { return weights[static_cast<std::size_t>(i)]; });
  std::vector<double> load(result.size());
  for (const std::int64_t item : by_weight) {
    std::size_t lightest = result.size();
    for (std::size_t pack = 0; pack < result.size(); ++pack)
      if (result[pack].size() < per_pack && (lightest == result.size() || load[pack] < load[lightest]))
        lightest = pack;
    result[lightest].push_back(item);
    load[lightest] += weights[static_cast<std::size_t>(item)];
  }
  return result;
}

// Puts some experts, with so many slots, on some ranks; appends the expert of each slot.
void place(const Items& experts, std::span<const double> expert_loads, std::int64_t slots, std::int64_t ranks,
           Items& expert_of_slot) {
  const auto load_of = [&](std::int64_t expert) { return expert_loads[static_cast<std::size_t>(expert)]; };
  Items replicas = experts; // the expert of each
  std::vector<double> count(experts.size(), 1);
  std::vector<std::size_t> place_of(experts.size()); // in `experts`, of each replica
  std::iota(place_of.begin(), place_of.end(), std::size_t{0});
  while (static_cast<std::int64_t>(replicas.size()) < slots) {
    std::size_t heaviest = 0;
    for (std::size_t i = 1; i < experts.size(); ++i)
      if (load_of(experts[i]) / count[i] > load_of(experts[heaviest]) / count[heaviest])
        heaviest = i;
    replicas.push_back(experts[heaviest]);
    place_of.push_back(heaviest);
    ++count[heaviest];
  }
  std::vector<double> weights;
  for (std::size_t i = 0; i < replicas.size(); ++i)
    weights.push_back(load_of(replicas[i]) / count[place_of[i]]);
  for (const Items& rank : packed(weights, ranks))
    for (const std::int64_t replica : rank)
      expert_of_slot.push_back(replicas[static_cast<std::size_t>(replica)]);
}

} // namespace

EplbPolicy eplb_policy(const PlacementShape& shape) {
  return shape.groups % shape.nodes == 0 ? EplbPolicy::Hierarchical : EplbPolicy::Global;
}

ExpertPlacement eplb_placement(const PlacementShape& shape, std::span<const double> expert_loads, EplbPolicy policy) {
  const bool global = policy == EplbPolicy::Global;
  const std::int64_t nodes = global ? 1 : shape.nodes;
  const std::int64_t groups = global ? 1 : shape.groups;
  const std::int64_t group_size = shape.experts / groups;
  std::vector<double> group_loads(static_cast<std::size_t>(groups));
  for (std::size_t expert = 0; expert < expert_loads.size(); ++expert)
    group_loads[expert / static_cast<std::size_t>(group_size)] += expert_loads[expert];

  ExpertPlacement placement{shape.ranks, shape.experts, {}};
  for (const Items& groups_of_node : packed(group_loads, nodes)) {
    Items experts;
    for (const std::int64_t group : groups_of_node)
      for (std::int64_t i = 0; i < group_size; ++i)
        experts.push_back(group * group_size + i);
    place(experts, expert_loads, (shape.experts + shape.redundant) / nodes, shape.ranks / nodes,
          placement.expert_of_slot);
  }
  return placement;
}

} // namespace moesim::schedulers
