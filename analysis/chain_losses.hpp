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

// Of every task, for one stage; nothing for tasks of the stage itself. Linear in the tasks.
[[nodiscard]] std::vector<ChainLoss> chain_losses(const record::RunRecord& run, const RowMeanings& meanings,
                                                  const TaskChains& chains, const PhaseTimes& times,
                                                  std::uint32_t stage);

} // namespace moesim::analysis
