#include "workloads/group_load.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "schedulers/eplb.hpp"
#include "schedulers/overflow_rerouting.hpp"
#include "simulator/base/check.hpp"

namespace moesim::workloads {
namespace {

std::int64_t sum(const Parts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

void add(Parts& to, const Parts& counts) {
  std::ranges::transform(to, counts, to.begin(), std::plus());
}

std::int64_t micro_batches_of(const RoutingModel& routing) {
  return routing.type == RoutingType::Trace ? std::int64_t{1} + std::ranges::max(routing.trace->micro_batches) : 1;
}

std::int64_t whole_tokens(const TokenSources& sources) {
  return static_cast<std::int64_t>(std::ceil(sources.tokens));
}

// Of one source, per expert.
Parts routed_copies(const LoadOptions& options, const MoeSpec& moe, const RoutingPlace& place,
                    const std::vector<double>& inclusion, const TokenSources& sources) {
  Parts parts;
  if (options.routing.counts == TokenCounts::Expected)
    for (const double chance : inclusion)
      parts.push_back(std::llround(chance * sources.tokens * parts_per_copy));
  else
    for (const std::int64_t copies : expert_copies(inclusion, options.routing, moe, place, whole_tokens(sources)))
      parts.push_back(copies * parts_per_copy);
  return parts;
}

// Copies of one source that go to the experts, in what is sent to each.
ExpertInput routed_input(const LoadOptions& options, const MoeSpec& moe, const Parts& copies, std::int64_t tokens,
                         GroupLoad& load) {
  add(load.routed, copies);
  if (options.balancing != Balancing::Reroute)
    return expert_input(copies, options.capacity, moe, tokens, parts_per_copy);
  const std::int64_t capacity = expert_capacity(options.capacity, moe, tokens) * parts_per_copy;
  const Parts moved = schedulers::reroute_overflow(copies, capacity, tokens * parts_per_copy);
  for (std::size_t expert = 0; expert < copies.size(); ++expert)
    load.rerouted += std::max<std::int64_t>(0, moved[expert] - copies[expert]);
  return expert_input(moved, options.capacity, moe, tokens, parts_per_copy);
}

// In parts that replicas can share evenly.
Parts divisible(Parts copies, const std::vector<std::int64_t>& replicas) {
  for (std::size_t expert = 0; expert < copies.size(); ++expert)
    copies[expert] = (copies[expert] + replicas[expert] / 2) / replicas[expert] * replicas[expert];
  return copies;
}

// Takes a share of the rows, as large of each source's, so that equal sources stay equal.
Parts taken(ExpertRows& rows, double share) {
  Parts result;
  for (std::int64_t& parts : rows.from) {
    result.push_back(std::min(parts, static_cast<std::int64_t>(std::llround(share * static_cast<double>(parts)))));
    parts -= result.back();
  }
  return result;
}

void steal(const LoadOptions& options, const schedulers::ExpertPlacement& placement, GroupLoad& load) {
  Parts of_slots;
  for (const ExpertRows& rows : load.rows)
    of_slots.push_back(sum(rows.from));
  load.stolen = schedulers::stealing_plan(placement, of_slots, options.stealing);
  for (const schedulers::StolenTokens& theft : load.stolen) {
    ExpertRows& victim = load.rows[static_cast<std::size_t>(theft.from_slot)];
    const double share = static_cast<double>(theft.tokens) / static_cast<double>(sum(victim.from));
    ExpertRows stolen{theft.to, victim.expert, taken(victim, share)};
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
  schedulers::ExpertPlacement placement = options.placement == StaticPlacement::Contiguous
                                              ? schedulers::contiguous_placement(shape)
                                              : schedulers::round_robin_placement(shape);
  if (options.balancing == Balancing::Periodic || options.balancing == Balancing::Predictive) {
    const bool predicts = options.balancing == Balancing::Predictive;
    const schedulers::RebalancingOptions rebalancing{.interval = options.rebalancing_interval,
                                                     .forecast = predicts ? schedulers::LoadForecast::Predicted
                                                                          : schedulers::LoadForecast::Observed,
                                                     .smoothing = options.smoothing};
    const auto loads = [&](std::int64_t iteration) { return mean_inclusion(options, moe, iteration, layer); };
    return schedulers::rebalancing_plan(placement, shape, rebalancing, loads, options.iteration);
  }
  if (options.balancing == Balancing::Eplb)
    placement = schedulers::rebalanced(placement, shape, mean_inclusion(options, moe, 0, layer));
  return {placement, placement, {}};
}

GroupLoad group_load(const LoadOptions& options, const MoeSpec& moe, const GroupPlace& where,
                     const schedulers::ExpertPlacement& placement, const std::vector<double>& inclusion,
                     const TokenSources& sources) {
  MOESIM_CHECK(sources.count % placement.ranks == 0, "each rank of a group has as many sources");
  const std::int64_t tokens = whole_tokens(sources);
  const Parts none(static_cast<std::size_t>(moe.num_experts));
  const std::vector<std::int64_t> replicas = placement.replicas();
  GroupLoad load{.rows = {}, .routed = none, .computed = none, .dropped = none, .stolen = {}};
  for (std::int64_t slot = 0; slot < placement.slots(); ++slot)
    load.rows.push_back({placement.rank_of_slot(slot), placement.expert_of_slot[static_cast<std::size_t>(slot)], {}});
  for (std::int64_t source = 0; source < sources.count; ++source) {
    const RoutingPlace place{.iteration = options.iteration,
                             .layer = where.layer,
                             .micro_batch = where.micro_batch,
                             .source = source,
                             .sources = sources.count,
                             .group = where.group};
    const Parts copies = routed_copies(options, moe, place, inclusion, sources);
    const ExpertInput input = routed_input(options, moe, copies, tokens, load);
    add(load.computed, input.computed);
    add(load.dropped, input.dropped);
    const Parts slots = schedulers::split_over_replicas(divisible(input.rows, replicas), placement,
                                                        source * placement.ranks / sources.count);
    for (std::size_t slot = 0; slot < slots.size(); ++slot)
      load.rows[slot].from.push_back(slots[slot]);
  }
  if (options.balancing == Balancing::WorkStealing)
    steal(options, placement, load);
  return load;
}

bool is_even(const LoadOptions& options) {
  const CapacityOptions& capacity = options.capacity;
  const bool drops = capacity.factor && *capacity.factor * (1 + capacity.overflow_buffer) < 1;
  return is_balanced(options.routing) && !drops && !capacity.pad_to_capacity && capacity.tokens_multiple == 1 &&
         options.redundant_experts == 0;
}

std::vector<Parts> GroupLoad::sent() const {
  std::int64_t ranks = 0;
  for (const ExpertRows& of_expert : rows)
    ranks = std::max(ranks, of_expert.rank + 1);
  std::vector<Parts> result(rows.front().from.size(), Parts(static_cast<std::size_t>(ranks)));
  for (const ExpertRows& of_expert : rows)
    for (std::size_t source = 0; source < result.size(); ++source)
      result[source][static_cast<std::size_t>(of_expert.rank)] += of_expert.from[source];
  return result;
}

Parts GroupLoad::received() const {
  Parts result;
  for (const ExpertRows& of_expert : rows) {
    result.resize(std::max(result.size(), static_cast<std::size_t>(of_expert.rank) + 1));
    result[static_cast<std::size_t>(of_expert.rank)] += sum(of_expert.from);
  }
  return result;
}

} // namespace moesim::workloads
