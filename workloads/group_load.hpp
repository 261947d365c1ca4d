// Who sends how many token copies to whom, for one layer and micro-batch in one expert-parallel group: routing,
// capacity, placement and balancing in turn.
//
// Copies are counted in parts, so that expected counts can be fractions and still add up exactly in any order: experts
// and ranks that are alike get equal numbers, and are simulated once.
#pragma once

#include <cstdint>
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
  std::int64_t iteration = 0; // that is simulated
};

// Whether every rank gets the same in every layer and micro-batch, and nothing is dropped or padded.
[[nodiscard]] bool is_even(const LoadOptions& options);

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

inline constexpr std::int64_t parts_per_copy = 65536;
using Parts = std::vector<std::int64_t>;

// Rows of one expert that one rank works on.
struct ExpertRows {
  std::int64_t rank = 0; // of the group
  std::int64_t expert = 0;
  Parts from; // per source: token copies and padding
};

// In parts, thefts too.
struct GroupLoad {
  std::vector<ExpertRows> rows; // one for each slot of the placement in order, then one for each theft
  Parts routed;                 // per expert, before capacity
  Parts computed;               // per expert, without padding
  Parts dropped;                // per expert; routed + rerouted to it = computed + dropped
  std::vector<schedulers::StolenTokens> stolen;
  std::int64_t rerouted = 0; // that went to another expert than the router wanted

  [[nodiscard]] std::vector<Parts> sent() const; // rows[source][rank]
  [[nodiscard]] Parts received() const;          // rows per rank
};

// The ranks whose tokens a group's experts work on: as many on each rank of the placement, with equally many tokens.
// Where experts are cut (etp), each of their ranks is a source. A mean may be a fraction.
struct TokenSources {
  std::int64_t count = 1;
  double tokens = 0; // of each
};

struct GroupPlace {
  std::int64_t layer = 0; // of the model, dense ones included
  std::int64_t micro_batch = 0;
  std::int64_t group = 0; // tells groups with sampled counts apart
};

// Expected counts are the inclusion probabilities times the tokens, to within half a part; sampled ones are
// expert_copies(). `inclusion` is layer_inclusion().
[[nodiscard]] GroupLoad group_load(const LoadOptions& options, const MoeSpec& moe, const GroupPlace& where,
                                   const schedulers::ExpertPlacement& placement, const std::vector<double>& inclusion,
                                   const TokenSources& sources);

} // namespace moesim::workloads
