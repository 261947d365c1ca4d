// Who sends how many token copies to whom, for one layer and micro-batch in one expert-parallel group: routing,
// capacity, placement and balancing in turn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/expert_rebalancing.hpp"
#include "schedulers/replica_split.hpp"
#include "schedulers/work_stealing.hpp"
#include "workloads/expert_capacity.hpp"
#include "workloads/expert_routing.hpp"

namespace moesim::workloads {

enum class StaticPlacement : std::uint8_t { Contiguous, RoundRobin };

// Eplb: placed once by what iteration 0 is expected to bring, before the run. Periodic, Predictive: from a contiguous
// placement on, by the iterations before. WorkStealing: for each micro-batch. Reroute: what is above the capacity.
enum class Balancing : std::uint8_t { None, Eplb, Periodic, Predictive, WorkStealing, Reroute };

[[nodiscard]] std::string_view name_of(StaticPlacement placement); // "contiguous", "round-robin"
[[nodiscard]] std::string_view name_of(Balancing balancing);       // "none", "eplb", ..., "work-stealing", "reroute"

struct LoadOptions {
  RoutingModel routing = {};
  CapacityOptions capacity = {}; // Reroute needs a factor
  StaticPlacement placement = StaticPlacement::Contiguous;
  Balancing balancing = Balancing::None;
  std::int64_t rebalancing_interval = 1; // iterations; of Periodic and Predictive
  double smoothing = 0.3;                // of Predictive
  schedulers::StealingOptions stealing = {};
  std::int64_t redundant_experts = 0;
  schedulers::ReplicaChoice replicas = schedulers::ReplicaChoice::Even;
  std::int64_t iteration = 0; // that is simulated
};

// Of one expert-parallel group, whose ranks are on so many nodes.
[[nodiscard]] schedulers::PlacementShape placement_shape(const LoadOptions& options, const MoeSpec& moe,
                                                         std::int64_t ranks, std::int64_t nodes);

// How likely a token meets each expert of a layer: what all counts are made of, and the loads that placements are
// planned by. Of a trace it is that of the micro-batch, or the mean of an iteration.
[[nodiscard]] std::vector<double> layer_inclusion(const LoadOptions& options, const MoeSpec& moe, std::int64_t layer,
                                                  std::int64_t micro_batch);
[[nodiscard]] std::vector<double> mean_inclusion(const LoadOptions& options, const MoeSpec& moe, std::int64_t iteration,
                                                 std::int64_t layer);

// Where a layer's experts are in the iteration that is simulated, and what was sent for it before the iteration.
[[nodiscard]] schedulers::RebalancingPlan placement_plan(const LoadOptions& options, const MoeSpec& moe,
                                                         const schedulers::PlacementShape& shape, std::int64_t layer);

// Rows of one expert that one rank works on.
struct ExpertRows {
  std::int64_t rank = 0; // of the group
  std::int64_t expert = 0;
  std::vector<std::int64_t> from; // per source: token copies and padding
};

struct GroupLoad {
  std::vector<ExpertRows> rows;       // one for each slot of the placement in order, then one for each theft
  std::vector<std::int64_t> routed;   // per expert, before capacity
  std::vector<std::int64_t> computed; // per expert, without padding
  std::vector<std::int64_t> dropped;  // per expert; routed + rerouted to it = computed + dropped
  std::vector<schedulers::StolenTokens> stolen;
  std::int64_t rerouted = 0; // copies that went to another expert than the router wanted

  [[nodiscard]] std::vector<std::vector<std::int64_t>> sent() const; // rows[source][rank]
  [[nodiscard]] std::vector<std::int64_t> received() const;          // rows per rank
};

struct GroupPlace {
  std::int64_t layer = 0; // of the model, dense ones included
  std::int64_t micro_batch = 0;
  std::int64_t group = 0; // tells groups with sampled counts apart
  std::int64_t nodes = 1; // of the group's ranks
};

// `tokens` per source; the sources are the ranks of the group. `inclusion` is layer_inclusion().
[[nodiscard]] GroupLoad group_load(const LoadOptions& options, const MoeSpec& moe, const GroupPlace& where,
                                   const schedulers::ExpertPlacement& placement, const std::vector<double>& inclusion,
                                   std::span<const std::int64_t> tokens);

} // namespace moesim::workloads
