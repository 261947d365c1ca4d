// Times and memory of a batch: closed forms, and the laws that every run obeys.
#include <algorithm>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/run/test_scenario.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::run {
namespace {

scenario::Scenario small_batch() {
  scenario::Scenario scenario = small_scenario();
  workloads::InferenceJob job;
  static_cast<workloads::Job&>(job) = scenario.job();
  job.inference = {.batch_size = 32, .micro_batch_size = 2, .prompt_length = 100, .output_length = 20};
  scenario.work = job;
  return scenario;
}

class IgnoreAll : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
};

// One GPU and one layer a stage; a prefill takes 3 s there, a decode step 1 s, everything else nothing.
double pipeline_takes(std::int64_t stages, std::int64_t micro_batches, std::int64_t output, double prefill) {
  scenario::Scenario scenario = small_batch();
  workloads::InferenceJob& job = scenario.inference_job();
  job.model.num_layers = stages;
  job.sizes = {.pp = stages};
  job.sequence_parallel = false;
  job.inference.micro_batch_size = 1;
  job.inference.batch_size = micro_batches;
  job.inference.output_length = output;
  const graph::TaskGraph graph = task_graph(scenario);
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(prefill), Seconds(1)};
  costs.communications = {{Seconds(0), {}}};
  for (const graph::Task& task : graph.tasks()) {
    const bool is_pass = task.kind == graph::Kind::Compute && graph.names()[task.name] == "attention";
    costs.of_task.push_back(!is_pass ? 0 : task.phase == graph::Phase::Prefill ? 1 : 2);
  }
  IgnoreAll sink;
  return execution::IdealExecutor().run(graph, costs, sink, {}).value();
}

// With n tokens of m micro-batches on p stages, a stage runs a micro-batch's next step no earlier than p passes after
// the last one: (n - 1) max(m, p) + m + p - 1 passes. When m >= p the last stage, once it starts, never waits.
TEST(InferenceRun, PipelinesTakeAsLongAsTheirFormulaSays) {
  for (const std::int64_t stages : {1, 2, 4})
    for (const std::int64_t micro_batches : {1, 2, 4, 7})
      for (const std::int64_t output : {1, 2, 5}) {
        EXPECT_DOUBLE_EQ(
            pipeline_takes(stages, micro_batches, output, 1),
            static_cast<double>((output - 1) * std::max(micro_batches, stages) + micro_batches + stages - 1))
            << stages << " stages, " << micro_batches << " micro-batches, " << output << " tokens";
        if (micro_batches >= stages) {
          EXPECT_DOUBLE_EQ(pipeline_takes(stages, micro_batches, output, 3),
                           static_cast<double>(3 * (stages - 1 + micro_batches) + (output - 1) * micro_batches));
        }
      }
}

// The prefill of four layers on two ranks, where attention and experts of all sequences take 2 s each, and an
// all-to-all `all_to_all` seconds; of half of them, half as long.
double expert_layers_take(bool in_two_batches, double all_to_all) {
  scenario::Scenario scenario = small_batch();
  workloads::InferenceJob& job = scenario.inference_job();
  job.model.num_layers = 4;
  job.sizes = {.ep = 2, .dp = 2};
  job.sequence_parallel = false;
  job.inference.batch_size = 2 * job.inference.micro_batch_size;
  job.inference.output_length = 1;
  job.inference.overlaps_two_batches = in_two_batches;
  const graph::TaskGraph graph = task_graph(scenario);
  const double parts = in_two_batches ? 2 : 1;
  execution::Costs costs;
  costs.durations = {Seconds(0), Seconds(2 / parts)};
  costs.communications = {{Seconds(0), {}}, {Seconds(all_to_all / parts), {}}};
  for (const graph::Task& task : graph.tasks()) {
    const std::string& name = graph.names()[task.name];
    const bool is_long = name == "attention" || name == "experts" || task.kind == graph::Kind::AllToAll;
    costs.of_task.push_back(is_long ? 1 : 0);
  }
  IgnoreAll sink;
  return execution::IdealExecutor().run(graph, costs, sink, {}).value();
}

// The four halves' turns of a layer take 1 s each, and its four all-to-alls A/2. Where turns are longer they follow
// each other, and the last half's combine comes after them; else the all-to-alls do, after the first turn.
TEST(InferenceRun, TwoBatchesHideAllToAllsOrCompute) {
  for (const double all_to_all : {0.0, 1.0, 2.0, 5.0}) {
    EXPECT_DOUBLE_EQ(expert_layers_take(false, all_to_all), 4 * (4 + 2 * all_to_all));
    EXPECT_DOUBLE_EQ(expert_layers_take(true, all_to_all),
                     all_to_all <= 2 ? 4 * 4 + all_to_all / 2 : 1 + 4 * 2 * all_to_all);
  }
}

record::RunRecord simulated(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return simulate(scenario, executor, {});
}

// Tokens and cache are the same, and with products that are long enough a batch takes less.
TEST(InferenceRun, TwoBatchesGiveTheSameTokens) {
  scenario::Scenario scenario = small_batch();
  scenario.inference_job().inference = {
      .batch_size = 32, .micro_batch_size = 8, .prompt_length = 4000, .output_length = 3};
  const record::RunFigures whole = simulated(scenario).figures;
  scenario.inference_job().inference.overlaps_two_batches = true;
  const record::RunFigures halves = simulated(scenario).figures;
  EXPECT_EQ(halves.output_tokens, whole.output_tokens);
  EXPECT_EQ(halves.routed_tokens, whole.routed_tokens);
  EXPECT_EQ(halves.kv_cache, whole.kv_cache);
  EXPECT_LT(halves.ttft, whole.ttft);
}

TEST(InferenceRun, TheLastTokenEndsTheRun) {
  scenario::Scenario scenario = small_batch();
  workloads::InferenceJob& job = scenario.inference_job();
  job.sizes = {.tp = 2, .pp = 4};
  job.inference.batch_size = 2;
  job.sizes.ep = 2;
  const record::RunFigures figures = simulated(scenario).figures;
  EXPECT_GT(figures.ttft, 0);
  EXPECT_GT(figures.tpot, 0);
  EXPECT_LT(figures.tpot, figures.ttft);
  EXPECT_NEAR((figures.ttft + figures.tpot * 19) / figures.makespan, 1, 1e-9);
  job.inference.output_length = 1;
  const record::RunFigures alone = simulated(scenario).figures;
  EXPECT_EQ(alone.tpot, 0);
  EXPECT_DOUBLE_EQ(alone.ttft, alone.makespan);
  EXPECT_DOUBLE_EQ(alone.ttft, figures.ttft); // what follows does not delay the first token
}

// Everything on one GPU, which has to read all weights but the embedding, and the cache so far, in every step.
TEST(InferenceRun, DecodingReadsWeightsAndCache) {
  scenario::Scenario scenario = small_batch();
  workloads::InferenceJob& job = scenario.inference_job();
  job.model.moe.reset();
  job.sizes = {};
  job.sequence_parallel = false;
  job.inference.batch_size = job.inference.micro_batch_size = 4;
  const double weights = 2 * (workloads::stage_parameters(job, 0).dense - workloads::vocabulary_share(job));
  const double least = (weights + workloads::kv_cache_bytes(job, 0, 101).value()) / 3e12;
  const double tpot = simulated(scenario).figures.tpot;
  EXPECT_GT(tpot, least);
  // Besides it are activations, the logits, and under 20 kernels a layer of 2 us each.
  EXPECT_LT(tpot, 1.2 * least + 8 * 20 * 2e-6);
}

TEST(InferenceRun, CountsEveryToken) {
  const record::RunRecord run = simulated(small_batch());
  double tokens = 0;
  for (const double rate : run.throughput.tokens_per_s)
    tokens += rate * run.throughput.time.front();
  EXPECT_NEAR(tokens, 32 * 20, 1e-6);
  EXPECT_EQ(run.figures.output_tokens, 32 * 20);
  EXPECT_EQ(run.figures.tokens_per_iteration, 32 * (100 + 20));
  EXPECT_EQ(run.figures.routed_tokens, 32.0 * (100 + 19) * 2 * 8); // top-2 in 8 layers; the last token goes nowhere
}

// The rank's fullest moment is the estimate's, but for the one transfer that may arrive beside it; and what it has in
// the end is the cache.
TEST(InferenceRun, MemoryPeaksAtTheEstimate) {
  for (const std::int64_t prompt : {100, 2000}) { // with the longer one, the prefill is the fullest
    scenario::Scenario scenario = small_batch();
    scenario.inference_job().inference.prompt_length = prompt;
    const record::RunRecord run = simulated(scenario);
    const auto estimates = workloads::stage_memories(scenario.inference_job());
    const workloads::MicroBatchShape shape = scenario.inference_job().micro_batch(1);
    const double activation = workloads::boundary_bytes(scenario.job().model, shape).value();
    const double tokens = 2 * 8; // of two sequences
    std::map<std::uint32_t, double> peak, cache;
    for (std::size_t row = 0; row < run.memory.time.size(); ++row) {
      double sum = 0;
      for (const std::vector<double>& category : run.memory.bytes)
        sum += category[row];
      peak[run.memory.rank[row]] = std::max(peak[run.memory.rank[row]], sum);
      cache[run.memory.rank[row]] = run.memory.bytes[static_cast<std::size_t>(graph::Memory::KvCache)][row];
    }
    for (std::uint32_t rank = 0; rank < 32; ++rank) {
      const double estimate = estimates[run.ranks.pp[rank]].at_peak.total().value();
      EXPECT_GE(peak[rank], estimate * (1 - 1e-12)) << rank;
      EXPECT_LE(peak[rank], estimate + (run.ranks.pp[rank] == 0 ? tokens : activation)) << rank;
      EXPECT_EQ(cache[rank],
                workloads::kv_cache_bytes(scenario.inference_job(), run.ranks.pp[rank], prompt + 19).value());
    }
    EXPECT_EQ(run.figures.kv_cache, cache[0]);
  }
}

// A slow GPU delays its replica's tokens, and, as experts are shared, the other replicas' less than its own.
TEST(InferenceRun, ASlowGpuDelaysTheTokens) {
  scenario::Scenario scenario = small_batch();
  const record::RunFigures even = simulated(scenario).figures;
  scenario.cluster.slow_gpus = {{.gpu = 0, .speed = 0.25}};
  const record::RunFigures uneven = simulated(scenario).figures;
  EXPECT_GT(uneven.ttft, even.ttft);
  EXPECT_GT(uneven.tpot, even.tpot);
}

} // namespace
} // namespace moesim::run
