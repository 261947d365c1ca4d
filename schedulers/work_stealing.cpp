#include "schedulers/work_stealing.hpp"

#include <algorithm>

namespace moesim::schedulers {
namespace {

std::vector<std::int64_t> rank_tokens(const ExpertPlacement& placement, std::span<const std::int64_t> tokens_of_slot) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(placement.ranks));
  for (std::size_t slot = 0; slot < tokens_of_slot.size(); ++slot)
    result[static_cast<std::size_t>(placement.rank_of_slot(static_cast<std::int64_t>(slot)))] += tokens_of_slot[slot];
  return result;
}

// Adds to the theft from this slot by this rank, or begins one.
void record(const ExpertPlacement& placement, std::int64_t slot, std::int64_t taker, std::int64_t tokens,
            std::vector<StolenTokens>& plan) {
  const auto expert_of = [&](std::int64_t of_slot) {
    return placement.expert_of_slot[static_cast<std::size_t>(of_slot)];
  };
  bool has_weights = std::ranges::count(placement.experts_of(taker), expert_of(slot)) > 0;
  for (StolenTokens& stolen : plan) {
    if (stolen.to != taker || expert_of(stolen.from_slot) != expert_of(slot))
      continue;
    if (stolen.from_slot == slot) {
      stolen.tokens += tokens;
      return;
    }
    has_weights = true; // an earlier theft has brought them
  }
  plan.push_back({slot, taker, tokens, !has_weights});
}

} // namespace

std::vector<StolenTokens> stealing_plan(const ExpertPlacement& placement, std::span<const std::int64_t> tokens_of_slot,
                                        const StealingOptions& options) {
  std::vector<std::int64_t> left(tokens_of_slot.begin(), tokens_of_slot.end()); // that nobody stole
  std::vector<std::int64_t> load = rank_tokens(placement, tokens_of_slot);
  std::int64_t total = 0;
  for (const std::int64_t tokens : load)
    total += tokens;
  const double limit = options.threshold * static_cast<double>(total) / static_cast<double>(placement.ranks);
  const std::int64_t mean = (total + placement.ranks - 1) / placement.ranks;

  std::vector<StolenTokens> plan;
  for (;;) {
    const auto victim = std::ranges::max_element(load);
    const auto taker = std::ranges::min_element(load);
    if (static_cast<double>(*victim) <= limit || *victim <= mean)
      return plan;
    const auto slots =
        std::span(left).subspan(static_cast<std::size_t>((victim - load.begin()) * placement.slots_per_rank()),
                                static_cast<std::size_t>(placement.slots_per_rank()));
    const auto fullest = std::ranges::max_element(slots);
    const std::int64_t tokens = std::min({*victim - mean, mean - *taker, *fullest});
    record(placement, &*fullest - left.data(), taker - load.begin(), tokens, plan);
    *fullest -= tokens;
    *victim -= tokens;
    *taker += tokens;
  }
}

std::vector<std::int64_t> rank_tokens_after(const ExpertPlacement& placement,
                                            std::span<const std::int64_t> tokens_of_slot,
                                            std::span<const StolenTokens> plan) {
  std::vector<std::int64_t> result = rank_tokens(placement, tokens_of_slot);
  for (const StolenTokens& stolen : plan) {
    result[static_cast<std::size_t>(placement.rank_of_slot(stolen.from_slot))] -= stolen.tokens;
    result[static_cast<std::size_t>(stolen.to)] += stolen.tokens;
  }
  return result;
}

} // namespace moesim::schedulers
