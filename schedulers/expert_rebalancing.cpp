#include "schedulers/expert_rebalancing.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace moesim::schedulers {
namespace {

// Loads as of `iteration`, the last one seen; `average` is that of the iterations before it, empty in the first.
std::vector<double> averaged(std::vector<double> average, const std::vector<double>& loads, double factor) {
  if (average.empty())
    return loads;
  for (std::size_t expert = 0; expert < loads.size(); ++expert)
    average[expert] = factor * loads[expert] + (1 - factor) * average[expert];
  return average;
}

bool rebalances(const RebalancingOptions& options, std::int64_t iteration) {
  return iteration >= 1 && (iteration - 1) % options.interval == 0;
}

} // namespace

std::vector<ExpertMove> expert_moves(const ExpertPlacement& before, const ExpertPlacement& after, std::int64_t nodes) {
  const std::int64_t ranks_per_node = before.ranks / nodes;
  std::vector<std::set<std::int64_t>> holders(static_cast<std::size_t>(before.experts)); // ranks, in order
  for (std::int64_t slot = 0; slot < before.slots(); ++slot)
    holders[static_cast<std::size_t>(before.expert_of_slot[static_cast<std::size_t>(slot)])].insert(
        before.rank_of_slot(slot));

  std::vector<ExpertMove> moves;
  std::vector<std::int64_t> sends(static_cast<std::size_t>(before.ranks));
  for (std::int64_t rank = 0; rank < after.ranks; ++rank) {
    const std::span<const std::int64_t> held = after.experts_of(rank);
    for (const std::int64_t expert : std::set<std::int64_t>(held.begin(), held.end())) {
      const std::set<std::int64_t>& from = holders[static_cast<std::size_t>(expert)];
      if (from.contains(rank))
        continue;
      const auto cost = [&](std::int64_t sender) {
        return std::pair(sender / ranks_per_node != rank / ranks_per_node, sends[static_cast<std::size_t>(sender)]);
      };
      const std::int64_t sender = *std::ranges::min_element(from, {}, cost);
      ++sends[static_cast<std::size_t>(sender)];
      moves.push_back({expert, sender, rank});
    }
  }
  return moves;
}

ExpertPlacement rebalanced(const ExpertPlacement& current, const PlacementShape& shape,
                           std::span<const double> expert_loads) {
  std::vector<ExpertPlacement> choices{current, contiguous_placement(shape),
                                       eplb_placement(shape, expert_loads, eplb_policy(shape))};
  return std::move(*std::ranges::min_element(
      choices, {}, [&](const ExpertPlacement& placement) { return max_rank_load(placement, expert_loads); }));
}

RebalancingPlan rebalancing_plan(const ExpertPlacement& initial, const PlacementShape& shape,
                                 const RebalancingOptions& options, const LoadsOfIteration& loads,
                                 std::int64_t iteration) {
  RebalancingPlan plan{initial, initial, {}};
  const bool predicts = options.forecast == LoadForecast::Predicted;
  std::vector<double> average;
  for (std::int64_t next = 1; next <= iteration; ++next) {
    plan.before = plan.after;
    if (predicts)
      average = averaged(std::move(average), loads(next - 1), options.smoothing);
    if (rebalances(options, next))
      plan.after = rebalanced(plan.before, shape, predicts ? average : loads(next - 1));
  }
  plan.moves = expert_moves(plan.before, plan.after, shape.nodes);
  return plan;
}

} // namespace moesim::schedulers
