// How many of a rank's tokens go to each expert. All functions are pure: what they give depends on the place and the
// seed, never on what was asked before.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/expert_popularity.hpp"

namespace moesim::workloads {

// Where tokens are routed. The sources are the ranks that send to the same experts (an expert-parallel group); groups
// with the same sources route alike where counts are expected, and differ by `group` where they are sampled.
struct RoutingPlace {
  std::int64_t iteration = 0;
  std::int64_t layer = 0; // of the model, dense ones included
  std::int64_t micro_batch = 0;
  std::int64_t source = 0; // 0 .. sources - 1
  std::int64_t sources = 1;
  std::int64_t group = 0;
};

// Token copies per expert, of a source with so many tokens. They sum to tokens x top-k, and no expert gets more than
// `tokens`. Expected counts are the mean to within one copy, for each source and for the sum over all sources with
// equally many tokens (rounded systematically along the experts, each source a step further: sum over s of
// floor(x + s/S) = floor(S x), Hermite). Sampled ones have a stream of random numbers of their own for each place: each
// expert draws from Binomial(tokens, inclusion), then the sum is put right where the variance is, which is to leading
// order a draw of k different experts for each token.
[[nodiscard]] std::vector<std::int64_t> expert_copies(const RoutingModel& routing, const MoeSpec& moe,
                                                      const RoutingPlace& place, std::int64_t tokens);

// The same from inclusion probabilities that are known already; many sources share them.
[[nodiscard]] std::vector<std::int64_t> expert_copies(const std::vector<double>& inclusion, const RoutingModel& routing,
                                                      const MoeSpec& moe, const RoutingPlace& place,
                                                      std::int64_t tokens);

} // namespace moesim::workloads
