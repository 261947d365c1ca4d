#include "analysis/chain_losses.hpp"

#include <algorithm>

namespace moesim::analysis {
namespace {

// Times that differ by less are equal: the same sum in another order.
constexpr double equal_within = 1e-9;

double excess(double time, double over) {
  return time > over * (1 + equal_within) ? time - over : 0;
}

// Of the time of a task, by what it is too slow.
struct Shares {
  double of_stage = 0;
  double of_rank = 0;
};

class Losses {
public:
  Losses(const record::RunRecord& run, const RowMeanings& meanings, const TaskChains& chains, const PhaseTimes& times,
         std::uint32_t stage)
      : run_(run), meanings_(meanings), chains_(chains), times_(times), stage_(stage), losses_(chains.task_count()) {}

  std::vector<ChainLoss> of_all() {
    for (const std::uint32_t task : chains_.by_start())
      losses_[task] = loss_of(task);
    return std::move(losses_);
  }

private:
  ChainLoss loss_of(std::uint32_t task) const {
    if (chains_.is_on_stage(task, stage_))
      return {.since = chains_.start(task)};
    const std::uint32_t blocker = chains_.blocker(task);
    ChainLoss loss = blocker == TaskChains::none ? ChainLoss() : losses_[blocker];
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

  [[nodiscard]] Shares shares_of(std::uint32_t task) const {
    const auto rows = chains_.rows(task);
    if (!meanings_.is_of_stage(rows.front()))
      return {};
    const std::uint8_t phase = run_.tasks.phase[rows.front()];
    const std::uint32_t rank = run_.tasks.rank[rows.front()];
    const double own = times_.of_stage(stage_, phase);
    const double stage = times_.of_stage(run_.ranks.pp[rank], phase);
    const double theirs = rows.size() == 1 ? times_.of_rank(rank, phase) : stage;
    if (theirs <= own)
      return {};
    return {excess(std::min(theirs, stage), own) / theirs, excess(theirs, std::max(stage, own)) / theirs};
  }

  const record::RunRecord& run_;
  const RowMeanings& meanings_;
  const TaskChains& chains_;
  const PhaseTimes& times_;
  std::uint32_t stage_;
  std::vector<ChainLoss> losses_;
};

} // namespace

std::vector<ChainLoss> chain_losses(const record::RunRecord& run, const RowMeanings& meanings, const TaskChains& chains,
                                    const PhaseTimes& times, std::uint32_t stage) {
  return Losses(run, meanings, chains, times, stage).of_all();
}

} // namespace moesim::analysis
