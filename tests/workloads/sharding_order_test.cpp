// In which order the data-parallel ranks of a stage gather and reduce, and who waits for it.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

using graph::Phase;
using Index = graph::Program::StepIndex;

// The data-parallel steps of a stage and its step of the optimizer: "name/layer/micro-batch".
std::vector<std::string> steps(const TrainingJob& job, std::size_t stage) {
  const graph::Programs programs = training_iteration(job);
  std::vector<std::string> result;
  for (const graph::Step& step : programs.stages[stage].steps())
    if (step.task.phase != Phase::Forward && step.task.phase != Phase::Backward)
      result.push_back(programs.names[step.task.name].substr(0, 6) + "/" + std::to_string(step.task.layer) + "/" +
                       std::to_string(step.task.micro_batch));
  return result;
}

// Two micro-batches on a stage with layers 2 and 3: forward of both, backward of both.
TrainingJob two_micro_batches(Sharding sharding, bool overlaps) {
  TrainingJob job = sharded(small_dense(), {.pp = 4, .dp = 4}, sharding, overlaps);
  job.training.global_batch_size = 8;
  return job;
}

TEST(ShardingOrder, Zero2ReducesAfterEachBackward) {
  EXPECT_THAT(
      steps(two_micro_batches(Sharding::Zero2, false), 1),
      testing::ElementsAre("reduce/3/0", "reduce/2/0", "reduce/3/1", "reduce/2/1", "adam/-1/-1", "gather/-1/-1"));
  EXPECT_THAT(steps(two_micro_batches(Sharding::Zero2, true), 1),
              testing::ElementsAre("gather/2/-1", "gather/3/-1", "reduce/3/0", "reduce/2/0", "reduce/3/1", "reduce/2/1",
                                   "adam/-1/-1"));
}

TEST(ShardingOrder, Zero3GathersBeforeEachTurn) {
  EXPECT_THAT(steps(two_micro_batches(Sharding::Zero3, false), 1),
              testing::ElementsAre("gather/2/0", "gather/3/0", "gather/2/1", "gather/3/1",               //
                                   "gather/3/0", "reduce/3/0", "gather/2/0", "reduce/2/0", "gather/3/1", //
                                   "reduce/3/1", "gather/2/1", "reduce/2/1", "adam/-1/-1"));
}

// The gather for the turn after the next goes before the reduction of the turn that has ended.
TEST(ShardingOrder, PrefetchesOneLayerAhead) {
  EXPECT_THAT(steps(two_micro_batches(Sharding::Zero3, true), 1),
              testing::ElementsAre("gather/2/0", "gather/3/0", "gather/2/1", "gather/3/1", //
                                   "gather/3/0", "gather/2/0", "gather/3/1", "reduce/3/0", //
                                   "gather/2/1", "reduce/2/0", "reduce/3/1", "reduce/2/1", "adam/-1/-1"));
}

// Of a backward it goes there, too, but is for the very next turn: whoever runs in between computes beside no gather.
TEST(ShardingOrder, GathersForABackwardOnceTheTurnBeforeHasEnded) {
  TrainingJob job = two_micro_batches(Sharding::Zero3, true);
  job.training.backward_prefetch = BackwardPrefetch::Post;
  EXPECT_THAT(steps(job, 1),
              testing::ElementsAre("gather/2/0", "gather/3/0", "gather/2/1", "gather/3/1", //
                                   "gather/3/0", "gather/2/0", "reduce/3/0", "gather/3/1", //
                                   "reduce/2/0", "gather/2/1", "reduce/3/1", "reduce/2/1", "adam/-1/-1"));
}

// Of each step of a program, the steps that have ended when it starts.
std::vector<std::set<Index>> ancestors(const graph::Program& program) {
  std::vector<std::set<Index>> result(program.steps().size());
  for (Index step = 0; step < result.size(); ++step)
    for (const Index before : program.dependencies(step)) {
      result[step].insert(before);
      result[step].insert(result[before].begin(), result[before].end());
    }
  return result;
}

// A layer's forward starts when its weights have arrived, and its backward when they have arrived again; and then at
// most one reduction is still under way.
TEST(ShardingOrder, TurnsWaitForTheirWeights) {
  for (const bool overlaps : {false, true}) {
    for (const std::int64_t recomputed : {0, 1, 2}) {
      TrainingJob job = sharded(small_dense(), {.pp = 2, .dp = 4}, Sharding::Zero3, overlaps);
      if (recomputed > 0)
        job.training.recompute = {.granularity = Recompute::Granularity::Full, .modules = {}, .num_layers = recomputed};
      const graph::Programs programs = training_iteration(job);
      for (const graph::Program& program : programs.stages) {
        const std::vector<std::set<Index>> ended = ancestors(program);
        std::size_t reductions = 0;
        for (Index index = 0; index < program.steps().size(); ++index) {
          const graph::Task& task = program.steps()[index].task;
          reductions += task.phase == Phase::Gradients && task.layer >= 0 ? 1 : 0;
          if (task.kind != graph::Kind::Compute || task.layer < 0)
            continue;
          std::size_t gathers = 0;
          std::size_t reduced = 0;
          for (const Index before : ended[index]) {
            const graph::Task& other = program.steps()[before].task;
            const bool is_of_layer = other.layer == task.layer && other.micro_batch == task.micro_batch;
            gathers += other.phase == Phase::Parameters && is_of_layer ? 1 : 0;
            reduced += other.phase == Phase::Gradients && other.layer >= 0 ? 1 : 0;
          }
          EXPECT_EQ(gathers, task.phase == Phase::Forward ? 1u : 2u);
          if (task.phase == Phase::Backward && recomputed == 0) {
            EXPECT_GE(reduced + (overlaps ? 1 : 0), reductions);
          }
        }
      }
    }
  }
}

// A table that head and embedding share is reduced after both have added to it, also where the head does so last; and
// what a reduction gives back has been taken.
TEST(ShardingOrder, SharedTableWaitsForHead) {
  for (const Sharding sharding : {Sharding::None, Sharding::Zero1, Sharding::Zero2, Sharding::Zero3}) {
    TrainingJob job = scheduled(sharded(small_dense(), {.dp = 4}, sharding, true), "zb-h1");
    job.model.tied_embeddings = true;
    const double table = 512 * 64 * job.training.gradient_bytes();
    const graph::Programs programs = training_iteration(job);
    const graph::Program& program = programs.stages.front();
    const std::vector<std::set<Index>> ended = ancestors(program);
    std::size_t reductions = 0;
    Bytes gradients;
    for (Index index = 0; index < program.steps().size(); ++index) {
      const graph::Task& task = program.steps()[index].task;
      const graph::Work& work = programs.works[task.work];
      gradients += work.allocated[graph::Memory::Gradients] - work.freed[graph::Memory::Gradients];
      EXPECT_GE(gradients, Bytes()) << name_of(sharding);
      if (task.phase != Phase::Gradients || work.bytes.value() < table)
        continue;
      ++reductions;
      const auto of_heads = std::ranges::count_if(ended[index], [&](Index before) {
        const graph::Task& other = program.steps()[before].task;
        return other.phase == Phase::BackwardWeight && other.layer < 0 &&
               (task.micro_batch < 0 || other.micro_batch == task.micro_batch);
      });
      EXPECT_EQ(of_heads, job.training.shards_gradients() ? 1 : 4) << name_of(sharding);
    }
    EXPECT_EQ(gradients, Bytes()) << name_of(sharding);
    EXPECT_EQ(reductions, job.training.shards_gradients() ? 4u : 1u) << name_of(sharding);
  }
}

// Sums over others than replicas are of shares, and therefore come after these are complete.
TEST(ShardingOrder, OtherSumsComeLast) {
  TrainingJob job = sharded(small_dense(), {.tp = 2, .pp = 2, .dp = 4}, Sharding::Zero2);
  job.training.global_batch_size = 4;
  EXPECT_THAT(steps(job, 1), testing::ElementsAre("reduce/-1/0", "reduce/7/0", "reduce/6/0", "reduce/5/0", "reduce/4/0",
                                                  "reduce/-1/-1", "adam/-1/-1", "gather/-1/-1"));
}

} // namespace
} // namespace moesim::workloads
