// Laws that hold for an iteration under every schedule, whatever it overlaps.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/iteration_size.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

using graph::Kind;
using graph::Phase;

graph::TaskGraph graph_of(const TrainingJob& job) {
  return graph::expand(training_iteration(job), Layout(job.sizes).membership());
}

// All schedules, with passes that run together where they can.
std::vector<TrainingJob> jobs(const ModelSpec& model) {
  std::vector<TrainingJob> result;
  for (const schedulers::PipelineSchedule& schedule : schedulers::schedules())
    for (const bool overlaps : {false, true}) {
      TrainingJob job = scheduled(job_of(model, {.tp = 2, .pp = 2, .ep = model.moe ? 4 : 1, .dp = 4}), schedule.name);
      job.training.global_batch_size = 32;
      job.training.overlap.pp = overlaps;
      if (overlaps && schedule.can_fuse && model.moe)
        job.training.overlap.expert = ExpertOverlap::Passes;
      if (!job.has_two_copies())
        job.training.overlap.grad_reduce = job.training.overlap.param_gather = overlaps;
      result.push_back(job);
    }
  return result;
}

std::string name_of(const TrainingJob& job) {
  return job.training.schedule + (job.training.overlap.pp ? " with overlap" : "");
}

TEST(ScheduledIteration, DoesTheSameWork) {
  for (const ModelSpec& model : {small_dense(), small_latent()}) {
    const auto flops_of = [](const graph::TaskGraph& graph) {
      double sum = 0;
      for (const graph::Task& task : graph.tasks())
        sum += graph.work(task).flops.value();
      return sum;
    };
    const double expected = flops_of(graph_of(jobs(model).front()));
    for (const TrainingJob& job : jobs(model)) {
      const graph::TaskGraph graph = graph_of(job);
      EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count()) << name_of(job);
      EXPECT_NEAR(flops_of(graph) / expected, 1, 1e-12) << name_of(job);
      EXPECT_EQ(static_cast<std::int64_t>(graph.row_count()), row_count(job)) << name_of(job);
    }
  }
}

// Without sequence parallelism all tp ranks send the same: each a part of it, and every part that arrives is gathered.
TEST(ScheduledIteration, GathersWhatItReceivesInParts) {
  const auto bytes_of = [](const TrainingJob& job) {
    std::map<std::string, std::vector<double>> bytes; // of what is received, and gathered behind it
    const graph::Programs programs = training_iteration(job);
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : program.steps())
        if (step.task.micro_batch >= 0 && (step.receives || programs.names[step.task.name] == "gather-received"))
          bytes[step.receives ? "received" : "gathered"].push_back(programs.works[step.task.work].bytes.value());
    return bytes;
  };
  for (TrainingJob job : jobs(small_dense())) {
    job.training.p2p_scatter_gather = true;
    EXPECT_FALSE(bytes_of(job).contains("gathered")) << name_of(job); // each rank has its own tokens
    job.sequence_parallel = false;
    const double whole = boundary_bytes(job.model, job.micro_batch()).value();
    const auto bytes = bytes_of(job);
    ASSERT_FALSE(bytes.at("received").empty());
    EXPECT_THAT(bytes.at("received"), testing::Each(whole / 2)) << name_of(job);
    EXPECT_THAT(bytes.at("gathered"), testing::Each(whole)) << name_of(job);
    EXPECT_EQ(bytes.at("gathered").size(), bytes.at("received").size()) << name_of(job);
  }
}

// Which parts share a bucket depends on the order in which chunks complete their gradients.
TEST(ScheduledIteration, CountsTheBucketsOfChunks) {
  for (std::int64_t size = 2'000; size <= 80'000; size += 2'000) {
    TrainingJob job = scheduled(job_of(small_latent(), {.dp = 2}), "interleaved-1f1b");
    job.sizes.vpp = 4;
    job.model.mtp_layers = 1;
    job.training.overlap.grad_reduce = true;
    job.training.ddp_bucket_size = size;
    EXPECT_EQ(static_cast<std::int64_t>(graph_of(job).row_count()), row_count(job)) << size;
  }
}

// Each micro-batch of a replica goes through each layer once forward and once back, and adds to its gradients.
TEST(ScheduledIteration, EveryMicroBatchMeetsEveryLayerOnce) {
  for (const TrainingJob& job : jobs(small_moe())) {
    const graph::Programs programs = training_iteration(job);
    std::map<std::pair<std::int32_t, std::int16_t>, std::map<Phase, int>> seen;
    std::map<std::pair<std::int32_t, std::int16_t>, int> weights;
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : program.steps()) {
        if (step.task.kind != Kind::Compute || step.task.layer < 0)
          continue;
        const std::pair at(step.task.micro_batch, step.task.layer);
        seen[at][step.task.phase] += programs.names[step.task.name] == "router" ? 1 : 0;
        for (const Operator& op : programs.works[step.task.work].operators)
          weights[at] += op.gives_weight_gradient ? 1 : 0;
      }
    EXPECT_EQ(seen.size(), 8u * 8u) << name_of(job);
    for (const auto& [at, phases] : seen) {
      EXPECT_EQ(phases.at(Phase::Forward), 1) << name_of(job);
      EXPECT_EQ(phases.at(Phase::Backward), 1) << name_of(job);
    }
    for (const auto& [at, count] : weights)
      EXPECT_EQ(count, weights.begin()->second) << name_of(job);
  }
}

TEST(ScheduledIteration, MemoryReturnsToWhatItWas) {
  for (const ModelSpec& model : {small_latent(), small_shared()})
    for (TrainingJob job : jobs(model))
      for (const Sharding sharding : {Sharding::Zero1, Sharding::Zero3}) {
        job.training.sharding = sharding;
        if (sharding == Sharding::Zero3 &&
            (job.has_two_copies() || job.training.overlap.expert == ExpertOverlap::Passes))
          continue;
        const graph::Programs programs = training_iteration(job);
        for (const graph::Program& program : programs.stages) {
          graph::MemoryUse held;
          for (const graph::Step& step : program.steps()) {
            held += programs.works[step.task.work].allocated;
            held -= programs.works[step.task.work].freed;
          }
          EXPECT_NEAR(held.total().value(), 0, 1e-6) << name_of(job);
        }
      }
}

// Activations cross every boundary between virtual stages on different ranks once forward and once back.
TEST(ScheduledIteration, SendsEveryBoundaryOnceEachWay) {
  for (const TrainingJob& job : jobs(small_dense())) {
    const schedulers::Chunks chunks = job.chunks();
    std::int64_t boundaries = 0;
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
      for (std::int64_t stage = 0; stage < chunks.stages; ++stage)
        if (const auto next = chunks.after({stage, chunk}); next && next->stage != stage)
          ++boundaries;
    const graph::TaskGraph graph = graph_of(job);
    std::map<std::string, double> sent;
    for (const graph::Task& task : graph.tasks())
      if (task.kind == Kind::SendRecv)
        sent[graph.names()[task.name]] += graph.work(task).bytes.value();
    const double copies = job.has_two_copies() ? 0.5 : 1; // a micro-batch goes through one of them
    const double expected = copies * 32 * static_cast<double>(boundaries) * 32 * 64 * 2; // tokens, channels, BF16
    EXPECT_DOUBLE_EQ(sent["activation"], expected) << name_of(job);
    EXPECT_DOUBLE_EQ(sent["gradient"], expected) << name_of(job);
  }
}

// Of two copies of the model the gradients of each part meet where its optimizer is, and its parameters go back.
TEST(ScheduledIteration, TwoCopiesStayEqual) {
  const TrainingJob job = scheduled(job_of(small_dense(), {.pp = 4, .dp = 2}), "dualpipe");
  double parameters = 0;
  for (std::int64_t stage = 0; stage < 4; ++stage) {
    EXPECT_DOUBLE_EQ(owned_parameters(job, stage).dense + owned_parameters(job, 3 - stage).dense,
                     stage_parameters(job, stage).dense);
    parameters += owned_parameters(job, stage).dense;
  }
  EXPECT_DOUBLE_EQ(parameters, total_parameters(job.model));
  const graph::TaskGraph graph = graph_of(job);
  std::map<std::string, double> moved;
  for (const graph::Task& task : graph.tasks())
    moved[graph.names()[task.name]] += graph.work(task).bytes.value();
  EXPECT_DOUBLE_EQ(moved["copy-gradient"], 2 * 4 * parameters); // on each of two replicas, FP32
  EXPECT_DOUBLE_EQ(moved["copy-parameters"], 2 * 2 * parameters);
  EXPECT_DOUBLE_EQ(moved["reduce-gradients"], 4 * parameters);
  const TrainingJob single = job_of(small_dense(), {.pp = 4, .dp = 2});
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const graph::MemoryUse twice = stage_memories(job)[stage].at_rest;
    const graph::MemoryUse once = stage_memories(single)[stage].at_rest;
    const graph::MemoryUse mirror = stage_memories(single)[3 - stage].at_rest;
    EXPECT_EQ(twice[graph::Memory::Weights], once[graph::Memory::Weights] + mirror[graph::Memory::Weights]);
    EXPECT_EQ(twice[graph::Memory::Optimizer], once[graph::Memory::Optimizer]);
  }
}

// A tied table, and that of modules for multi-token prediction, is there once for each copy of the model.
TEST(ScheduledIteration, EndsThatMeetShareTheEmbedding) {
  for (const char* schedule : {"zb-v", "dualpipe"})
    for (const bool ties : {false, true}) {
      TrainingJob job = scheduled(job_of(small_dense(), {.pp = 4}), schedule);
      job.model.tied_embeddings = ties;
      double parameters = 0;
      for (std::int64_t stage = 0; stage < 4; ++stage)
        parameters += stage_parameters(job, stage).dense;
      EXPECT_DOUBLE_EQ(parameters, (job.has_two_copies() ? 2 : 1) * total_parameters(job.model)) << schedule;
      job.model.mtp_layers = 1;
      const double table = vocabulary_share(job);
      EXPECT_LT(stage_parameters(job, 0).dense, parameters / 2 + table) << schedule;
      for (const std::string& name : training_iteration(job).names)
        EXPECT_NE(name, "embedding-gradient");
    }
}

TEST(ScheduledIteration, ReducesEachGradientOnceBesideTheLastBackward) {
  for (const char* schedule : {"interleaved-1f1b", "zb-h1", "zb-v"}) {
    TrainingJob job = scheduled(job_of(small_dense(), {.pp = 2, .dp = 2}), schedule);
    job.training.overlap.grad_reduce = true;
    const graph::Programs programs = training_iteration(job);
    std::multiset<std::int16_t> layers;
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : program.steps())
        if (programs.names[step.task.name] == "reduce-gradients")
          layers.insert(step.task.layer);
    EXPECT_THAT(layers, testing::ElementsAre(-1, -1, 0, 1, 2, 3, 4, 5, 6, 7)) << schedule; // -1: embedding, head
  }
}

} // namespace
} // namespace moesim::workloads
