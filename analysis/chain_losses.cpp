#include "analysis/chain_losses.hpp"

#include <algorithm>

namespace moesim::analysis {
namespace {

// Times that differ by less are equal: the same sum in another order.
constexpr double equal_within = 1e-9;

double excess(double time, double over) {
  return time > over * (1 + equal_within) ? time - over : 0;
}

} // namespace

ChainLosses::ChainLosses(const record::RunRecord& run, const RowMeanings& meanings, const TaskChains& chains,
                         const PhaseTimes& times, std::uint32_t stage)
    : run_(run), meanings_(meanings), chains_(chains), times_(times), stage_(stage),
      place_(chains.task_count(), TaskChains::none) {}

const ChainLoss& ChainLosses::of(std::uint32_t task) {
  for (std::uint32_t at = task; at != TaskChains::none && place_[at] == TaskChains::none; at = chains_.blocker(at)) {
    unknown_.push_back(at);
    if (chains_.is_on_stage(at, stage_))
      break;
  }
  for (; !unknown_.empty(); unknown_.pop_back()) {
    losses_.push_back(loss_of(unknown_.back()));
    place_[unknown_.back()] = static_cast<std::uint32_t>(losses_.size() - 1);
  }
  return losses_[place_[task]];
}

ChainLoss ChainLosses::loss_of(std::uint32_t task) const {
  if (chains_.is_on_stage(task, stage_))
    return {.since = chains_.start(task)};
  const std::uint32_t blocker = chains_.blocker(task);
  ChainLoss loss = blocker == TaskChains::none ? ChainLoss() : losses_[place_[blocker]];
  const double time = chains_.end(task) - chains_.start(task);
  const Shares shares = shares_of(task);
  loss.to_stages += time * shares.of_stage;
  loss.to_ranks += time * shares.of_rank;
  // The last, unless it is far from the slowest: phases of one stage differ, and nobody looks for a stage that is
  // slower by a hair.
  if (shares.of_stage > 0 &&
      (loss.slow_stage == TaskChains::none || 2 * shares.of_stage >= shares_of(loss.slow_stage).of_stage))
    loss.slow_stage = task;
  if (shares.of_rank > 0 &&
      (loss.slow_rank == TaskChains::none || 2 * shares.of_rank >= shares_of(loss.slow_rank).of_rank))
    loss.slow_rank = task;
  return loss;
}

ChainLosses::Shares ChainLosses::shares_of(std::uint32_t task) const {
  const auto rows = chains_.rows(task);
  if (!meanings_.is_of_stage(rows.front()))
    return {};
  const std::uint8_t phase = run_.tasks.phase[rows.front()];
  const std::uint32_t rank = run_.tasks.rank[rows.front()];
  const double own = times_.of_stage(stage_, phase);
  const double stage = times_.of_stage(run_.ranks.pp[rank], phase);
  const double theirs = meanings_.is_compute(rows.front()) ? times_.of_rank(rank, phase) : stage;
  if (theirs <= own)
    return {};
  return {excess(std::min(theirs, stage), own) / theirs, excess(theirs, std::max(stage, own)) / theirs};
}

} // namespace moesim::analysis
