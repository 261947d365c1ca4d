#include "workloads/training.hpp"

#include <map>

#include <gmock/gmock.h>

#include "simulator/config/catalogue.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"

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

double flops_of(const graph::TaskGraph& graph) {
  double sum = 0;
  for (const graph::Task& task : graph.tasks())
    sum += graph.work(task).flops.value();
  return sum;
}

double expected_flops(const TrainingJob& job) {
  const double head =
      2 * static_cast<double>((1 + job.model.mtp_layers) * job.model.hidden_size * job.model.vocab_size);
  return 3 * job.training.tokens() * (forward_flops_of_layers(job.model, job.training.seq_length) + head);
}

// The graph's FLOPs are the formula's, with causal attention counted by half and the router counted at all, however the
// work is split.
TEST(TrainingIteration, FlopsAddUpToTheFormula) {
  for (const ModelSpec& model : small_models()) {
    for (const ParallelSizes& sizes :
         {ParallelSizes{}, ParallelSizes{.tp = 2, .pp = 2, .ep = 4, .dp = 4},
          ParallelSizes{.tp = 4, .pp = 8, .ep = 2, .dp = 2}, ParallelSizes{.cp = 4, .dp = 2},
          ParallelSizes{.tp = 2, .cp = 2, .ep = 4, .etp = 2, .dp = 2}}) {
      if (!model.moe && sizes.ep > 1)
        continue;
      TrainingJob job = job_of(model, sizes);
      for (const CpCommType type : {CpCommType::P2p, CpCommType::AllGather, CpCommType::A2a}) {
        job.training.cp_comm_type = type;
        EXPECT_NEAR(flops_of(graph_of(job)) / expected_flops(job), 1, 1e-12) << model.model_type;
      }
    }
  }
}

// A published model of every shape: the iteration can be built, does the formula's work, and frees what it allocates.
TEST(TrainingIteration, EveryModelOfTheCatalogueHasAnIteration) {
  for (const std::string& name : config::catalogue_names(config::CatalogueKind::Model)) {
    const config::Node root = config::parse_yaml("model: " + name, "test.yaml");
    Problems problems;
    std::vector<std::string> ignored;
    TrainingJob job = job_of(read_model(*root.find("model"), "model", problems, ignored), {.tp = 4});
    job.sizes.ep = job.model.moe ? 4 : 1;
    job.training.global_batch_size = 1;
    job.training.seq_length = 16384;
    const graph::TaskGraph graph = graph_of(job);
    EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count()) << name;
    EXPECT_NEAR(flops_of(graph) / expected_flops(job), 1, 1e-12) << name;
    graph::MemoryUse held;
    for (const graph::Task& task : graph.tasks()) {
      held += graph.work(task).allocated;
      held -= graph.work(task).freed;
    }
    EXPECT_EQ(held, graph::MemoryUse()) << name;
  }
}

// Layers of different kinds follow each other as the model says.
TEST(TrainingIteration, LayersRunAsTheirKind) {
  const graph::Programs programs = training_iteration(job_of(small_latent(), {.tp = 2, .pp = 4, .ep = 2, .dp = 1}));
  std::map<std::int16_t, bool> routes;
  for (const graph::Program& program : programs.stages)
    for (const graph::Step& step : program.steps())
      if (step.task.layer >= 0)
        routes[step.task.layer] = routes[step.task.layer] || programs.names[step.task.name] == "router";
  EXPECT_THAT(routes, testing::ElementsAre(testing::Pair(0, false), testing::Pair(1, false), testing::Pair(2, true),
                                           testing::Pair(3, true), testing::Pair(4, true), testing::Pair(5, true),
                                           testing::Pair(6, true), testing::Pair(7, true)));
}

TEST(TrainingIteration, TakesAtMostAHundredBytesATask) {
  TrainingJob job = job_of(small_moe(), {.tp = 4, .pp = 4, .ep = 8, .dp = 8});
  job.training.global_batch_size = 128;
  const graph::TaskGraph graph = graph_of(job);
  EXPECT_LE(static_cast<double>(graph.memory_footprint()), 100.0 * static_cast<double>(graph.task_count()));
}

TEST(TrainingIteration, UnevenStagesHoldEveryLayerOnce) {
  TrainingJob job = job_of(small_moe(), {.pp = 3, .dp = 2});
  job.layers_per_stage = {4, 1, 3};
  std::vector<std::vector<int>> layers(3);
  const graph::Programs programs = training_iteration(job);
  for (std::size_t stage = 0; stage < 3; ++stage)
    for (const graph::Step& step : programs.stages[stage].steps())
      if (step.task.layer >= 0 && step.task.phase == Phase::Forward && step.task.micro_batch == 0 &&
          programs.names[step.task.name] == "attention")
        layers[stage].push_back(step.task.layer);
  EXPECT_EQ(layers, (std::vector<std::vector<int>>{{0, 1, 2, 3}, {4}, {5, 6, 7}}));
  EXPECT_DOUBLE_EQ(stage_parameters(job, 0).expert, 4 * stage_parameters(job, 1).expert);
}

// Gathering 34 tokens of 64 channels moves 4,352 bytes, and so does summing the gradients of 17 norms.
TEST(TrainingIteration, TasksThatShareAWorkAreOfOneKind) {
  for (std::int64_t length = 2; length <= 64; length += 2) {
    TrainingJob job = job_of(small_dense(), {.tp = 2});
    job.training.seq_length = length;
    std::map<std::uint32_t, Kind> kinds;
    const graph::Programs programs = training_iteration(job);
    for (const graph::Step& step : programs.stages[0].steps())
      EXPECT_EQ(kinds.try_emplace(step.task.work, step.task.kind).first->second, step.task.kind) << length;
  }
}

TEST(TrainingIteration, CanBeRunInOrder) {
  const TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 4, .ep = 8, .dp = 4});
  const graph::TaskGraph graph = graph_of(job);
  EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count());
}

// Each stream of each rank is a chain: any two of its tasks are ordered by edges.
TEST(TrainingIteration, EveryStreamRunsItsTasksOneAfterTheOther) {
  TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 2});
  job.model.tied_embeddings = true;
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

// A table on the first and on the last stage: their gradients cross once the replicas' are summed, and both stages
// step.
TEST(TrainingIteration, TiedEmbeddingsExchangeTheirGradients) {
  TrainingJob job = job_of(small_dense(), {.tp = 2, .pp = 4, .dp = 2});
  job.model.tied_embeddings = true;
  for (const std::size_t stage : {0u, 3u})
    EXPECT_THAT(steps(job, stage, {Phase::Gradients, Phase::Optimizer}),
                testing::ElementsAre("reduce-norm-gradients/-1", "reduce-gradients/-1", "embedding-gradient/-1",
                                     "embedding-gradient/-1", "add-embedding-gradient/-1", "adam/-1"));
  EXPECT_THAT(steps(job, 1, {Phase::Gradients, Phase::Optimizer}),
              testing::ElementsAre("reduce-norm-gradients/-1", "reduce-gradients/-1", "adam/-1"));
  const graph::TaskGraph graph = graph_of(job);
  EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count());
  double exchanged = 0;
  for (const graph::Task& task : graph.tasks())
    if (graph.names()[task.name] == "embedding-gradient")
      exchanged += graph.work(task).bytes.value();
  EXPECT_DOUBLE_EQ(exchanged, 2 * 2 * 4 * 512.0 * 64); // two replicas, both ways, FP32, over all tensor ranks
}

// One stage holds the table once and has nobody to exchange with.
TEST(TrainingIteration, TiedEmbeddingsOfOneStageAreOneTable) {
  TrainingJob job = job_of(small_dense(), {.tp = 2});
  const double untied = stage_parameters(job, 0).dense;
  job.model.tied_embeddings = true;
  EXPECT_DOUBLE_EQ(stage_parameters(job, 0).dense, untied - 512 * 64 / 2);
  for (const std::string& step : steps(job, 0, {Phase::Gradients}))
    EXPECT_THAT(step, testing::Not(testing::HasSubstr("embedding")));
}

TEST(TrainingIteration, OverlapReducesAndGathersLayerByLayer) {
  TrainingJob job = job_of(small_dense(), {.pp = 4, .dp = 4});
  job.training.overlap = {.grad_reduce = true, .param_gather = true};
  EXPECT_THAT(steps(job, 1, {Phase::Gradients, Phase::Optimizer, Phase::Parameters}),
              testing::ElementsAre("gather-parameters/2", "gather-parameters/3", "reduce-gradients/3",
                                   "reduce-gradients/2", "adam/-1"));
}

// Buckets fill up in the order of the backward, and what is left goes with the last part: of four layers two buckets,
// then the embedding.
TEST(TrainingIteration, OverlapReducesBucketByBucket) {
  TrainingJob job = job_of(small_dense(), {.pp = 2, .dp = 4});
  job.training.overlap.grad_reduce = true;
  const RankParameters layer = layer_parameters(job, {});
  job.training.ddp_bucket_size = static_cast<std::int64_t>(2 * layer.dense);
  EXPECT_THAT(steps(job, 0, {Phase::Gradients}),
              testing::ElementsAre("reduce-gradients/2", "reduce-gradients/0", "reduce-gradients/-1"));
  job.training.ddp_bucket_size = least_ddp_bucket_size;
  EXPECT_THAT(steps(job, 0, {Phase::Gradients}), testing::ElementsAre("reduce-gradients/-1"));
  double reduced = 0;
  const graph::Programs programs = training_iteration(job);
  for (const graph::Step& step : programs.stages[0].steps())
    if (step.task.phase == Phase::Gradients)
      reduced += programs.works[step.task.work].bytes.value();
  EXPECT_DOUBLE_EQ(reduced, job.training.gradient_bytes() * stage_parameters(job, 0).dense);
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
    expected += job.training.gradient_bytes() * (2 * parameters.dense + 4 * parameters.expert);
  }
  double reduced = 0;
  for (const graph::Task& task : graph.tasks())
    if (task.kind == Kind::ReduceScatter && task.phase == Phase::Gradients)
      reduced += graph.work(task).bytes.value();
  EXPECT_DOUBLE_EQ(reduced, expected);
}

} // namespace
} // namespace moesim::workloads
