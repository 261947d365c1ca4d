#include "workloads/training.hpp"

#include <map>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Kind;
using graph::Phase;

graph::TaskGraph graph_of(const TrainingJob& job) {
  return graph::expand(training_iteration(job), Layout(job.sizes).membership());
}

// The names of a stage's steps of some phases, "name/layer" each.
std::vector<std::string> steps(const TrainingJob& job, std::size_t stage, std::initializer_list<Phase> phases) {
  const graph::Programs programs = training_iteration(job);
  std::vector<std::string> result;
  for (const graph::Step& step : programs.stages[stage].steps())
    for (const Phase phase : phases)
      if (step.task.phase == phase)
        result.push_back(programs.names[step.task.name] + "/" + std::to_string(step.task.layer));
  return result;
}

// The graph's FLOPs are the formula's, with causal attention counted by half and the router counted at all.
TEST(TrainingIteration, FlopsAddUpToTheFormula) {
  for (const ParallelSizes& sizes : {ParallelSizes{}, ParallelSizes{.tp = 2, .pp = 2, .ep = 4, .dp = 4},
                                     ParallelSizes{.tp = 4, .pp = 8, .ep = 2, .dp = 2}}) {
    const TrainingJob job = job_of(small_moe(), sizes);
    const graph::TaskGraph graph = graph_of(job);
    double sum = 0;
    for (const graph::Task& task : graph.tasks())
      sum += graph.work(task).flops.value();
    const double tokens = job.training.tokens();
    const double half_attention = 3 * tokens * 8 * (4 * 32 * 64) / 2; // 8 layers, length 32, 64 wide
    const double router = 3 * tokens * 8 * (2 * 64 * 8);
    EXPECT_NEAR(sum / (model_flops(job.model, tokens, 32) - half_attention + router), 1, 1e-12);
  }
}

TEST(TrainingIteration, TakesAtMostAHundredBytesATask) {
  TrainingJob job = job_of(small_moe(), {.tp = 4, .pp = 4, .ep = 8, .dp = 8});
  job.training.global_batch_size = 128;
  const graph::TaskGraph graph = graph_of(job);
  EXPECT_LE(static_cast<double>(graph.memory_footprint()), 100.0 * static_cast<double>(graph.task_count()));
}

TEST(TrainingIteration, CanBeRunInOrder) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 4, .ep = 8, .dp = 4});
  const graph::TaskGraph graph = graph_of(job);
  EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count());
}

// Each stream of each rank is a chain: any two of its tasks are ordered by edges.
TEST(TrainingIteration, EveryStreamRunsItsTasksOneAfterTheOther) {
  TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 2});
  job.training.global_batch_size = 6;
  for (const bool overlaps : {false, true}) {
    job.training.overlap = {.grad_reduce = overlaps, .param_gather = overlaps, .pp = overlaps};
    const graph::TaskGraph graph = graph_of(job);
    const std::size_t count = graph.task_count();
    std::vector<std::vector<bool>> reaches(count, std::vector<bool>(count, false));
    std::vector<std::uint32_t> order = graph::topological_order(graph);
    for (auto task = order.rbegin(); task != order.rend(); ++task) {
      for (const std::uint32_t successor : graph.successors(TaskId(*task))) {
        reaches[*task][successor] = true;
        for (std::size_t at = 0; at < count; ++at)
          reaches[*task][at] = reaches[*task][at] || reaches[successor][at];
      }
    }
    std::map<std::pair<RankId, graph::Stream>, std::uint32_t> latest;
    for (const std::uint32_t index : order) {
      const graph::Task& task = graph.task(TaskId(index));
      const auto members = graph.members(task);
      for (std::size_t member = 0; member < members.size(); ++member) {
        const auto [before, is_first] = latest.try_emplace({members[member], graph::stream_at(task, member)}, index);
        if (!is_first) {
          EXPECT_TRUE(reaches[before->second][index]) << graph::describe(graph, TaskId(index));
          before->second = index;
        }
      }
    }
  }
}

TEST(TrainingIteration, EveryForwardHasItsBackward) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 4, .ep = 8, .dp = 4});
  const graph::TaskGraph graph = graph_of(job);
  std::map<std::tuple<std::uint32_t, std::int32_t, std::int16_t>, std::pair<bool, bool>> passes;
  for (const graph::Task& task : graph.tasks()) {
    if (task.kind != Kind::Compute || task.layer < 0)
      continue;
    auto& [forward, backward] = passes[{task.place, task.micro_batch, task.layer}];
    (task.phase == Phase::Forward ? forward : backward) = true;
  }
  EXPECT_EQ(passes.size(), 32u * 4 * 2); // ranks x micro-batches x layers of a stage
  for (const auto& [key, seen] : passes)
    EXPECT_TRUE(seen.first && seen.second);
}

TEST(TrainingIteration, WithoutOverlapReducesOnceAndGathersAfterTheStep) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 4, .ep = 4, .dp = 4});
  EXPECT_THAT(steps(job, 1, {Phase::Gradients, Phase::Optimizer, Phase::Parameters}),
              testing::ElementsAre("reduce-norm-gradients/-1", "reduce-gradients/-1", "reduce-expert-gradients/-1",
                                   "adam/-1", "gather-parameters/-1", "gather-expert-parameters/-1"));
}

TEST(TrainingIteration, OverlapReducesAndGathersLayerByLayer) {
  TrainingJob job = job_of(small_dense(), {.pp = 4, .dp = 4});
  job.training.overlap = {.grad_reduce = true, .param_gather = true};
  EXPECT_THAT(steps(job, 1, {Phase::Gradients, Phase::Optimizer, Phase::Parameters}),
              testing::ElementsAre("gather-parameters/2", "gather-parameters/3", "reduce-gradients/3",
                                   "reduce-gradients/2", "adam/-1"));
}

// Overlap moves traffic in time; it does not change how much there is.
TEST(TrainingIteration, OverlapMovesTheSameBytes) {
  const auto bytes_by_name = [](const TrainingJob& job) {
    const graph::TaskGraph graph = graph_of(job);
    std::map<std::string, double> bytes;
    for (const graph::Task& task : graph.tasks())
      if (task.kind != Kind::Compute)
        bytes[graph.names()[task.name]] += graph.work(task).bytes.value();
    return bytes;
  };
  TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 8});
  const auto plain = bytes_by_name(job);
  job.training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  EXPECT_EQ(bytes_by_name(job), plain);
}

// ZeRO-1 replaces each all-reduce by a reduce-scatter and an all-gather (arXiv 1910.02054, section 7).
TEST(TrainingIteration, WithoutShardingGradientsGoToAll) {
  TrainingJob job = job_of(small_dense(), {.dp = 4});
  job.training.sharding = Sharding::None;
  const graph::TaskGraph graph = graph_of(job);
  std::size_t all_reduces = 0;
  for (const graph::Task& task : graph.tasks()) {
    EXPECT_NE(task.kind, Kind::ReduceScatter);
    EXPECT_NE(task.kind, Kind::AllGather);
    all_reduces += task.kind == Kind::AllReduce ? 1 : 0;
  }
  EXPECT_EQ(all_reduces, 1u);
}

TEST(TrainingIteration, ReducesTheGradientOfEveryParameter) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 8});
  const graph::TaskGraph graph = graph_of(job);
  double expected = 0;
  for (std::int64_t stage = 0; stage < 2; ++stage) { // one group per tensor rank, and per expert rank
    const RankParameters parameters = stage_parameters(job, stage);
    expected += gradient_bytes * (2 * parameters.dense + 4 * parameters.expert);
  }
  double reduced = 0;
  for (const graph::Task& task : graph.tasks())
    if (task.kind == Kind::ReduceScatter && task.phase == Phase::Gradients)
      reduced += graph.work(task).bytes.value();
  EXPECT_DOUBLE_EQ(reduced, expected);
}

} // namespace
} // namespace moesim::workloads
