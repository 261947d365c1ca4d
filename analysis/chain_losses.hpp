// How much sooner the chain of blockers of each task (task_chains.hpp) would have come to its end if nothing on it were
// slower than one stage: what other stages, and slow ranks of theirs, cost that stage.
//
// Counted from where the chain leaves the stage, because what came before the stage has waited for already. Let a task
// of phase f, on rank u of stage s, take d, and let own, T(s) and T(u) be the times that the stage, stage s (means over
// their ranks) and rank u spend on phase f in the whole run (phase_times.hpp). At the stage's own pace the task would
// have taken d own / T(u). Of the difference, what u takes longer than T(s) is the rank's, and the rest the stage's; of
// a collective, which is no rank's, all is the stage's. Faster ones count as if they were as slow as the stage itself.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/activity.hpp"
#include "analysis/phase_times.hpp"
#include "analysis/task_chains.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct ChainLoss {
  double to_stages = 0;                        // s
  double to_ranks = 0;                         // s
  double since = 0;                            // s: when the chain left the stage; 0 when it was never there
  std::uint32_t slow_stage = TaskChains::none; // the last task of the chain that was much too slow for its stage
  std::uint32_t slow_rank = TaskChains::none;  // and for its rank
};

// For one stage; nothing for tasks of the stage itself. Each task is looked at once, when a chain that is asked for has
// it. What the constructor takes has to outlive this.
class ChainLosses {
public:
  ChainLosses(const record::RunRecord& run, const RowMeanings& meanings, const TaskChains& chains,
              const PhaseTimes& times, std::uint32_t stage);

  // The reference holds until the next call.
  [[nodiscard]] const ChainLoss& of(std::uint32_t task);

private:
  // Of the time of a task, by what it is too slow.
  struct Shares {
    double of_stage = 0;
    double of_rank = 0;
  };

  // Of a task whose blocker is known.
  [[nodiscard]] ChainLoss loss_of(std::uint32_t task) const;
  [[nodiscard]] Shares shares_of(std::uint32_t task) const;

  const record::RunRecord& run_;
  const RowMeanings& meanings_;
  const TaskChains& chains_;
  const PhaseTimes& times_;
  std::uint32_t stage_;
  std::vector<std::uint32_t> place_; // of a task in losses_; TaskChains::none until it is known
  std::vector<ChainLoss> losses_;
  std::vector<std::uint32_t> unknown_; // tasks of the chain at hand, the last first
};

} // namespace moesim::analysis
