// When experts move, by which loads, and what must be sent for it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "schedulers/eplb.hpp"
#include "schedulers/expert_placement.hpp"

namespace moesim::schedulers {

// Weights of one expert that a rank needs and does not have.
struct ExpertMove {
  std::int64_t expert = 0;
  std::int64_t from = 0; // rank
  std::int64_t to = 0;
  auto operator<=>(const ExpertMove&) const = default;
};

// What gets from one placement to the other: an expert comes from a rank that held it, of the same node if there is one
// (`nodes` as in PlacementShape), then of those that send the least so far. Sorted by receiver, then expert.
[[nodiscard]] std::vector<ExpertMove> expert_moves(const ExpertPlacement& before, const ExpertPlacement& after,
                                                   std::int64_t nodes);

// EPLB's placement for these loads, or the contiguous one, or `current`, whichever has the least maximum of rank loads;
// of equals the current one, which costs nothing, then the contiguous one. EPLB's packing is greedy, and can be worse.
[[nodiscard]] ExpertPlacement rebalanced(const ExpertPlacement& current, const PlacementShape& shape,
                                         std::span<const double> expert_loads);

// Observed: by the loads of the iteration before. Predicted: by their exponential average, e_i = f l_i + (1 - f)
// e_(i-1).
enum class LoadForecast : std::uint8_t { Observed, Predicted };

struct RebalancingOptions {
  std::int64_t interval = 1; // iterations from one rebalancing to the next; the first has been before iteration 1
  LoadForecast forecast = LoadForecast::Observed;
  double smoothing = 0.3; // f, of Predicted: 0 < f <= 1
};

struct RebalancingPlan {
  ExpertPlacement before; // of the iteration before this one
  ExpertPlacement after;  // of this one
  std::vector<ExpertMove> moves;
};

using LoadsOfIteration = std::function<std::vector<double>(std::int64_t iteration)>; // per expert

// The placement of an iteration that is reached from an initial one in iteration 0, rebalanced every `interval`
// iterations before they begin. No iteration is planned by its own loads, or by later ones.
[[nodiscard]] RebalancingPlan rebalancing_plan(const ExpertPlacement& initial, const PlacementShape& shape,
                                               const RebalancingOptions& options, const LoadsOfIteration& loads,
                                               std::int64_t iteration);

} // namespace moesim::schedulers
