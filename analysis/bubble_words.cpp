// Says in words what a bubble waits for.
#include "analysis/bubbles.hpp"

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr std::array<std::string_view, bubble_cause_count> names{
    "warm-up",   "waiting for a neighbour", "imbalance between stages", "imbalance between ranks",
    "cool-down", "optimizer tail"};

// "forward of micro-batch 3", "transfer of micro-batch 3", "reduce-gradients".
std::string work_of(const BubbleEvidence& evidence, std::uint32_t row) {
  const record::TaskTable& tasks = evidence.run.tasks;
  if (tasks.micro_batch[row] < 0)
    return tasks.names[tasks.name[row]];
  const bool is_transfer = evidence.meanings.activity(row) == Activity::Pp;
  return fmt::format("{} of micro-batch {}", is_transfer ? "transfer" : tasks.phases[tasks.phase[row]],
                     tasks.micro_batch[row]);
}

} // namespace

std::string_view name_of(BubbleCause cause) {
  return names[static_cast<std::size_t>(cause)];
}

std::string BubbleFinder::label(std::uint32_t rank, const Bubble& bubble) const {
  const record::RunRecord& run = evidence_.run;
  if (bubble.blocker == Bubble::no_row)
    return std::string(name_of(bubble.cause));
  const std::uint32_t blocking_rank = run.tasks.rank[bubble.blocker];
  const std::uint32_t stage = run.ranks.pp[blocking_rank];
  const std::string work = work_of(evidence_, bubble.blocker);
  switch (bubble.cause) {
  case BubbleCause::Neighbour:
    return fmt::format("waiting for stage {}'s {}", stage, work);
  case BubbleCause::SlowerStage:
    return fmt::format("waiting for slower stage {}'s {}", stage, work);
  case BubbleCause::SlowerRank:
    if (stage == run.ranks.pp[rank])
      return fmt::format("waiting for slower ranks of {}", run.tasks.names[run.tasks.name[bubble.waiter]]);
    return fmt::format("waiting for slower rank {}'s {}", blocking_rank, work);
  case BubbleCause::WarmUp:
  case BubbleCause::CoolDown:
  case BubbleCause::OptimizerTail:
    break;
  }
  return std::string(name_of(bubble.cause));
}

} // namespace moesim::analysis
