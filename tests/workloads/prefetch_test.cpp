// Parameters that are gathered ahead of the parts that read them, under ZeRO stage 3.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::Phase;

// Stage 1 holds layers 2 and 3.
TrainingJob prefetching(std::int64_t parts) {
  TrainingJob job = sharded(small_dense(), {.pp = 4, .dp = 4}, Sharding::Zero3, true);
  job.training.prefetch = parts;
  return job;
}

// When the n-th turn of a part begins, its own gather has been issued and those of as many turns to come as it says.
TEST(Prefetch, IssuesAsManyGathersAheadAsItSays) {
  for (const std::int64_t parts : {1, 2, 3, 7}) {
    const graph::Programs programs = training_iteration(prefetching(parts));
    constexpr std::int64_t turns = 2 * 2 * 4; // forward and backward of two layers and four micro-batches
    std::int64_t begun = 0;
    std::int64_t gathered = 0;
    graph::Task latest;
    for (const graph::Step& step : programs.stages[1].steps()) {
      if (step.task.phase == Phase::Parameters)
        ++gathered;
      if (step.task.kind != graph::Kind::Compute || step.task.layer < 0)
        continue;
      const graph::Task& task = step.task;
      if (begun == 0 || task.layer != latest.layer || task.micro_batch != latest.micro_batch ||
          task.phase != latest.phase) {
        EXPECT_EQ(gathered, std::min(begun + 1 + parts, turns)) << "turn " << begun << ", " << parts << " ahead";
        ++begun;
      }
      latest = task;
    }
    EXPECT_EQ(begun, turns);
    EXPECT_EQ(gathered, turns);
  }
}

// The peak has the weights of the part that computes and of all that are gathered ahead, 2 bytes a parameter.
TEST(Prefetch, TakesTheMemoryOfWhatIsGathered) {
  const double layer = layer_parameters(prefetching(1), prefetching(1).model.kind_of(2)).dense;
  for (const std::int64_t parts : {1, 2, 3, 5}) {
    const StageMemory held = stage_memories(prefetching(parts))[1];
    EXPECT_DOUBLE_EQ((held.at_peak[Memory::Weights] - held.at_rest[Memory::Weights]).value(),
                     static_cast<double>(1 + parts) * 2 * layer);
  }
}

// FSDP2's copies: each gather is followed by a kernel that reads and writes what was gathered, before its turn.
TEST(Prefetch, CopiesWhatIsGatheredOnce) {
  TrainingJob job = prefetching(1);
  job.training.copy_gathered_parameters = true;
  const graph::Programs programs = training_iteration(job);
  double gathered = 0;
  double copied = 0;
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : program.steps())
      if (step.task.phase == Phase::Parameters)
        (step.task.kind == graph::Kind::Compute ? copied : gathered) += programs.works[step.task.work].bytes.value();
  EXPECT_GT(gathered, 0);
  EXPECT_DOUBLE_EQ(copied, 2 * gathered);
  job.sizes.dp = 1; // nothing is gathered
  job.training.global_batch_size = 4;
  for (const graph::Program& program : training_iteration(job).stages)
    for (const graph::Step& step : program.steps())
      EXPECT_NE(step.task.phase, Phase::Parameters);
}

// What is gathered is what it was.
TEST(Prefetch, MovesNoMore) {
  const auto gathered = [](std::int64_t parts) {
    const graph::Programs programs = training_iteration(prefetching(parts));
    double bytes = 0;
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : program.steps())
        bytes += step.task.phase == Phase::Parameters ? programs.works[step.task.work].bytes.value() : 0;
    return bytes;
  };
  for (const std::int64_t parts : {2, 3, 100}) // more than there are turns, too
    EXPECT_DOUBLE_EQ(gathered(parts), gathered(1));
}

} // namespace
} // namespace moesim::workloads
