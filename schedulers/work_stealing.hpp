// Ranks with little to do take tokens from ranks with too much, once a micro-batch's tokens have been counted; the
// expert's weights travel along where the taker has none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "schedulers/expert_placement.hpp"

namespace moesim::schedulers {

struct StealingOptions {
  double threshold = 1.1;     // of the most loaded rank over the mean, above which it is stolen from; at least 1
  double reaction_time_s = 0; // from counted tokens to the first transfer
};

struct StolenTokens {
  std::int64_t from_slot = 0; // of the placement
  std::int64_t to = 0;        // rank
  std::int64_t tokens = 0;
  bool sends_weights = false; // the taker has no replica of the expert
  bool operator==(const StolenTokens&) const = default;
};

// Takes tokens from the most loaded rank's fullest slot to the least loaded rank, again and again: as many as bring
// either rank to the mean, until no rank is above threshold x mean. No rank comes out above the mean rounded up that
// was not above it before. One entry per (slot, taker), in the order of the first theft.
[[nodiscard]] std::vector<StolenTokens> stealing_plan(const ExpertPlacement& placement,
                                                      std::span<const std::int64_t> tokens_of_slot,
                                                      const StealingOptions& options);

// Tokens per rank once it is done.
[[nodiscard]] std::vector<std::int64_t> rank_tokens_after(const ExpertPlacement& placement,
                                                          std::span<const std::int64_t> tokens_of_slot,
                                                          std::span<const StolenTokens> plan);

} // namespace moesim::schedulers
