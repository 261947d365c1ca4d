#include "workloads/group_load.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "schedulers/eplb.hpp"
#include "schedulers/overflow_rerouting.hpp"
#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

using Counts = std::vector<std::int64_t>;

std::int64_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

void add(Counts& to, const Counts& counts) {
  std::ranges::transform(to, counts, to.begin(), std::plus());
}

std::int64_t micro_batches_of(const RoutingModel& routing) {
  return routing.type == RoutingType::Trace ? std::int64_t{1} + std::ranges::max(routing.trace->micro_batches) : 1;
}

// Copies per expert of one source that go to the experts, in what is sent to each.
ExpertInput routed_input(const LoadOptions& options, const MoeSpec& moe, const Counts& copies, std::int64_t tokens,
                         GroupLoad& load) {
  add(load.routed, copies);
  if (options.balancing != Balancing::Reroute)
    return expert_input(copies, options.capacity, moe, tokens);
  const Counts moved = schedulers::reroute_overflow(copies, expert_capacity(options.capacity, moe, tokens), tokens);
  for (std::size_t expert = 0; expert < copies.size(); ++expert)
    load.rerouted += std::max<std::int64_t>(0, moved[expert] - copies[expert]);
  return expert_input(moved, options.capacity, moe, tokens);
}

// Takes `tokens` of the rows, from each source in proportion: floor(t C_s / N) in all from the first s sources.
Counts taken(ExpertRows& rows, std::int64_t tokens) {
  const std::int64_t all = sum(rows.from);
  Counts result;
  std::int64_t before = 0;
  std::int64_t running = 0;
  for (std::int64_t& count : rows.from) {
    running += count;
    const std::int64_t until = tokens * running / all;
    result.push_back(until - before);
    count -= until - before;
    before = until;
  }
  return result;
}

void steal(const LoadOptions& options, const schedulers::ExpertPlacement& placement, GroupLoad& load) {
  Counts tokens_of_slot;
  for (const ExpertRows& rows : load.rows)
    tokens_of_slot.push_back(sum(rows.from));
  load.stolen = schedulers::stealing_plan(placement, tokens_of_slot, options.stealing);
  for (const schedulers::StolenTokens& theft : load.stolen) {
    ExpertRows& victim = load.rows[static_cast<std::size_t>(theft.from_slot)];
    ExpertRows stolen{theft.to, victim.expert, taken(victim, theft.tokens)};
    load.rows.push_back(std::move(stolen));
  }
}

} // namespace

std::string_view name_of(StaticPlacement placement) {
  return placement == StaticPlacement::Contiguous ? "contiguous" : "round-robin";
}

std::string_view name_of(Balancing balancing) {
  constexpr std::array<std::string_view, 6> names{"none", "eplb", "periodic", "predictive", "work-stealing", "reroute"};
  return names[static_cast<std::size_t>(balancing)];
}

schedulers::PlacementShape placement_shape(const LoadOptions& options, const MoeSpec& moe, std::int64_t ranks,
                                           std::int64_t nodes) {
  return {.experts = moe.num_experts,
          .redundant = options.redundant_experts,
          .ranks = ranks,
          .nodes = nodes,
          .groups = moe.groups};
}

std::vector<double> layer_inclusion(const LoadOptions& options, const MoeSpec& moe, std::int64_t layer,
                                    std::int64_t micro_batch) {
  return inclusion_probabilities(expert_popularity(options.routing, moe, options.iteration, layer, micro_batch), moe);
}

std::vector<double> mean_inclusion(const LoadOptions& options, const MoeSpec& moe, std::int64_t iteration,
                                   std::int64_t layer) {
  const std::int64_t micro_batches = micro_batches_of(options.routing);
  std::vector<double> mean(static_cast<std::size_t>(moe.num_experts));
  for (std::int64_t micro_batch = 0; micro_batch < micro_batches; ++micro_batch) {
    const std::vector<double> inclusion =
        inclusion_probabilities(expert_popularity(options.routing, moe, iteration, layer, micro_batch), moe);
    for (std::size_t expert = 0; expert < mean.size(); ++expert)
      mean[expert] += inclusion[expert] / static_cast<double>(micro_batches);
  }
  return mean;
}

schedulers::RebalancingPlan placement_plan(const LoadOptions& options, const MoeSpec& moe,
                                           const schedulers::PlacementShape& shape, std::int64_t layer) {
  if (options.balancing == Balancing::Periodic || options.balancing == Balancing::Predictive) {
    const bool predicts = options.balancing == Balancing::Predictive;
    const schedulers::RebalancingOptions rebalancing{.interval = options.rebalancing_interval,
                                                     .forecast = predicts ? schedulers::LoadForecast::Predicted
                                                                          : schedulers::LoadForecast::Observed,
                                                     .smoothing = options.smoothing};
    const auto loads = [&](std::int64_t iteration) { return mean_inclusion(options, moe, iteration, layer); };
    return schedulers::rebalancing_plan(shape, rebalancing, loads, options.iteration);
  }
  schedulers::ExpertPlacement placement = options.placement == StaticPlacement::Contiguous
                                              ? schedulers::contiguous_placement(shape)
                                              : schedulers::round_robin_placement(shape);
  if (options.balancing == Balancing::Eplb)
    placement = schedulers::rebalanced(placement, shape, mean_inclusion(options, moe, 0, layer));
  return {placement, placement, {}};
}

GroupLoad group_load(const LoadOptions& options, const MoeSpec& moe, const GroupPlace& where,
                     const schedulers::ExpertPlacement& placement, const std::vector<double>& inclusion,
                     std::span<const std::int64_t> tokens) {
  MOESIM_CHECK(std::ssize(tokens) == placement.ranks, "the ranks of a group are its sources");
  const Counts none(static_cast<std::size_t>(moe.num_experts));
  GroupLoad load{.rows = {}, .routed = none, .computed = none, .dropped = none, .stolen = {}};
  for (std::int64_t slot = 0; slot < placement.slots(); ++slot)
    load.rows.push_back({placement.rank_of_slot(slot), placement.expert_of_slot[static_cast<std::size_t>(slot)], {}});
  for (std::int64_t source = 0; source < placement.ranks; ++source) {
    const std::int64_t own = tokens[static_cast<std::size_t>(source)];
    const RoutingPlace place{.iteration = options.iteration,
                             .layer = where.layer,
                             .micro_batch = where.micro_batch,
                             .source = source,
                             .sources = placement.ranks,
                             .group = where.group};
    const Counts copies = expert_copies(inclusion, options.routing, moe, place, own);
    const ExpertInput input = routed_input(options, moe, copies, own, load);
    add(load.computed, input.computed);
    add(load.dropped, input.dropped);
    const Counts slots = schedulers::split_over_replicas(input.rows, placement, source, options.replicas, where.nodes);
    for (std::size_t slot = 0; slot < slots.size(); ++slot)
      load.rows[slot].from.push_back(slots[slot]);
  }
  if (options.balancing == Balancing::WorkStealing)
    steal(options, placement, load);
  return load;
}

std::vector<std::vector<std::int64_t>> GroupLoad::sent() const {
  const std::size_t ranks = rows.front().from.size();
  std::vector<std::vector<std::int64_t>> result(ranks, Counts(ranks));
  for (const ExpertRows& of_expert : rows)
    for (std::size_t source = 0; source < ranks; ++source)
      result[source][static_cast<std::size_t>(of_expert.rank)] += of_expert.from[source];
  return result;
}

std::vector<std::int64_t> GroupLoad::received() const {
  std::vector<std::int64_t> result(rows.front().from.size());
  for (const ExpertRows& of_expert : rows)
    result[static_cast<std::size_t>(of_expert.rank)] += sum(of_expert.from);
  return result;
}

} // namespace moesim::workloads
