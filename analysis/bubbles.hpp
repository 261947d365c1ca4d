// Why a rank idles. Every moment in which it is seen idle (activity.hpp) has one cause, so the causes add up to the
// idle time: a wait is cut into pieces, and nothing is estimated twice.
//
// What a wait is for is read off the chain of blockers (task_chains.hpp) of the rank's next compute task. The chain
// covers the wait, because each of its tasks starts when the one before ends. The blocker is the task of the chain that
// runs when the wait ends. In this order:
//
// | cause | idle time |
// |---|---|
// | warm-up | before the rank's first pass |
// | imbalance between ranks | the blocker is of the same stage: others of the stage have the same work, and are later |
// | cool-down | after the rank's last pass, while other ranks still run passes |
// | optimizer tail | after the last pass of the job: gradients, optimizer steps and gathers of others |
// | imbalance between stages | what would not have been if no stage were slower than this one |
// | imbalance between ranks | and if no rank of another stage were slower than its stage on average |
// | waiting for a neighbour | the rest: the order of the passes, and transfers |
//
// What would not have been: with nothing slower than this stage, the chain would have come to its end sooner by its
// losses (chain_losses.hpp) since it left this stage, and the rank would have been there sooner, too, by what its own
// waits since then would not have been. The wait would be shorter by the difference. So with equal stages nothing is
// imbalance, and all that a rank waits for a slower stage in the steady state of 1F1B is.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/activity.hpp"
#include "analysis/chain_losses.hpp"
#include "analysis/phase_times.hpp"
#include "analysis/task_chains.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

enum class BubbleCause : std::uint8_t { WarmUp, Neighbour, SlowerStage, SlowerRank, CoolDown, OptimizerTail };
inline constexpr std::size_t bubble_cause_count = 6;

// "warm-up", "waiting for a neighbour", "imbalance between stages", ...
[[nodiscard]] std::string_view name_of(BubbleCause cause);

struct Bubble {
  static constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();

  double start = 0; // s
  double end = 0;   // s
  BubbleCause cause = BubbleCause::WarmUp;
  // Row of the blocker; of imbalance, of the last task on the chain that was too slow. no_row when the record does not
  // say what tasks wait for, or when the rank has nothing more to do.
  std::uint32_t blocker = no_row;
  std::uint32_t waiter = no_row; // row of the task after the blocker on the chain, on this rank if it is there

  bool operator==(const Bubble&) const = default;
};

// What bubbles are found by.
struct BubbleEvidence {
  explicit BubbleEvidence(const record::RunRecord& record);

  const record::RunRecord& run;
  RowMeanings meanings;
  TaskChains chains;
  PhaseTimes times;
  double last_pass_end = 0; // s, of the job
};

class BubbleFinder {
public:
  // `run` has to outlive this. Linear in its rows and dependencies.
  explicit BubbleFinder(const record::RunRecord& run) : evidence_(run) {}

  // Of each of `ranks` in order of time: exactly what visit_activities() calls idle. Linear in their rows, and in the
  // tasks of their chains for each stage among them.
  [[nodiscard]] std::vector<std::vector<Bubble>> bubbles(std::span<const std::uint32_t> ranks) const;

  // "warm-up", "waiting for stage 2's forward of micro-batch 3", "waiting for slower stage 2's backward of micro-batch
  // 0", "waiting for slower ranks of dispatch", "waiting for slower rank 17's forward of micro-batch 1".
  [[nodiscard]] std::string label(std::uint32_t rank, const Bubble& bubble) const;

private:
  BubbleEvidence evidence_;
};

} // namespace moesim::analysis
