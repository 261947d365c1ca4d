#include "simulator/screen/screen.hpp"

#include <array>
#include <initializer_list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "schedulers/custom_order.hpp"
#include "tests/run/test_scenario.hpp"
#include "tests/screen/simulated.hpp"
#include "tests/workloads/test_job.hpp"

namespace moesim::screen {
namespace {

using workloads::Recompute;
using workloads::RecomputeModule;
using workloads::TrainingJob;

void expect_exact(const scenario::Scenario& scenario) {
  EXPECT_NEAR(bound_of(scenario) / ideal_time(scenario), 1, 1e-9);
}

// One GPU, one micro-batch: kernel after kernel, each by the roofline of the GPU.
TEST(Screen, IsTheSumOfAllKernelsOnOneGpu) {
  scenario::Scenario scenario = run::small_scenario();
  scenario.job().sizes = {};
  scenario.job().sequence_parallel = false;
  scenario.training_job().training.global_batch_size = 1;
  const graph::TaskGraph graph = run::task_graph(scenario);
  double kernels = 0;
  for (const graph::Task& task : graph.tasks())
    for (const Operator& op : graph.work(task).operators)
      kernels += platforms::time_of(op, scenario.cluster.gpu).value();
  EXPECT_NEAR(bound_of(scenario).value() / kernels, 1, 1e-9);
  expect_exact(scenario);
}

// Four equal stages of layers, between a first and a last that hold none, with transfers that take no time: at least
// the (m + p - 1)(F + B) of these four (Narayanan et al., arXiv 2104.04473, section 2.2.1), and at most what embedding,
// head and optimizer take of a single micro-batch more.
TEST(Screen, HasTheBubbleOfItsFormula) {
  scenario::Scenario scenario = run::small_scenario();
  scenario.cluster.collective_latency = scenario.cluster.nic.latency = scenario.cluster.nvlink.latency = Seconds();
  scenario.cluster.nic.bandwidth = scenario.cluster.nvlink.bandwidth = BytesPerSecond(1e30);
  scenario.job().model.vocab_size = 16;
  scenario.job().model.moe.reset();
  scenario.job().sequence_parallel = false;
  TrainingJob& job = scenario.training_job();
  job.sizes = {.pp = 6};
  job.layers_per_stage = {0, 2, 2, 2, 2, 0};
  job.training.micro_batch_size = 16;
  Screen screen(scenario.cluster);
  const auto takes = [&](std::int64_t micro_batches) {
    job.training.global_batch_size = 16 * micro_batches;
    return screen.lower_bound(job).value();
  };
  const double of_one_more = takes(9) - takes(8); // F + B of the stages with layers
  for (const char* schedule : {"1f1b", "gpipe"}) {
    job.training.schedule = schedule;
    const double ends = takes(1) - 4 * of_one_more;
    for (const std::int64_t micro_batches : {2, 5, 32}) {
      const double formula = static_cast<double>(micro_batches + 3) * of_one_more;
      EXPECT_GE(takes(micro_batches), formula) << schedule << ", " << micro_batches;
      EXPECT_LE(takes(micro_batches), (formula + ends) * (1 + 1e-9)) << schedule << ", " << micro_batches;
    }
    EXPECT_LT(ends, 0.2 * of_one_more);
  }
}

// Small layouts of one model on 32 GPUs, in every combination of what candidates differ in.
class Candidates {
public:
  explicit Candidates(std::uint64_t seed) : engine_(seed) {}

  TrainingJob draw(const workloads::ModelSpec& model) {
    for (;;) {
      TrainingJob job = workloads::job_of(model, sizes());
      if (job.sizes.world() > 32 || !workloads::Layout::problems(job.sizes, workloads::default_rank_order).empty())
        continue;
      choose_options(job);
      if (job.training.global_batch_size % (job.training.micro_batch_size * job.sizes.dp) == 0)
        return job;
    }
  }

private:
  template <class Value>
  Value pick(std::initializer_list<Value> values) {
    return values.begin()[engine_() % values.size()];
  }
  bool coin() { return engine_() % 2 == 0; }

  workloads::ParallelSizes sizes() {
    return {.tp = pick({1, 2, 4}),
            .cp = pick({1, 1, 2}),
            .pp = pick({1, 2, 4, 8}),
            .ep = pick({1, 2, 4, 8}),
            .etp = pick({1, 1, 2}),
            .dp = pick({1, 2, 4})};
  }

  void choose_options(TrainingJob& job) {
    if (job.sizes.pp == 4 && coin())
      job.layers_per_stage = pick<std::vector<std::int64_t>>({{3, 2, 2, 1}, {0, 4, 4, 0}, {1, 3, 3, 1}});
    workloads::Training& training = job.training;
    training.micro_batch_size = pick({1, 2, 4});
    training.seq_length = pick({32, 64});
    training.precision = pick({Precision::Bf16, Precision::Fp8, Precision::Nvfp4, Precision::Fp32});
    training.grad_reduce_in_fp32 = coin();
    training.schedule = pick({"1f1b", "gpipe"});
    training.attention_backend = pick({workloads::AttentionBackend::Flash, workloads::AttentionBackend::Unfused});
    training.cp_comm_type = pick({workloads::CpCommType::P2p, workloads::CpCommType::AllGather});
    training.sharding = pick({workloads::Sharding::None, workloads::Sharding::Zero1, workloads::Sharding::Zero2,
                              workloads::Sharding::Zero3});
    training.overlap = {.grad_reduce = coin(),
                        .param_gather = coin(),
                        .pp = coin(),
                        .tp = coin(),
                        .tp_backward = coin(),
                        .expert = pick({workloads::ExpertOverlap::None, workloads::ExpertOverlap::Chunked})};
    training.backward_prefetch = coin() ? workloads::BackwardPrefetch::Post : workloads::BackwardPrefetch::Pre;
    training.copy_gathered_parameters = coin();
    training.recompute_early_stop = coin();
    Recompute selective{.granularity = Recompute::Granularity::Selective};
    selective.modules.add(pick({RecomputeModule::CoreAttn, RecomputeModule::MoeAct, RecomputeModule::Moe}));
    training.recompute = pick<Recompute>(
        {{},
         selective,
         {.granularity = Recompute::Granularity::Full, .num_layers = pick({1, 2, 3})},
         {.granularity = Recompute::Granularity::Full, .method = Recompute::Method::Block, .num_layers = 1}});
  }

  std::mt19937_64 engine_;
};

scenario::Scenario scenario_of(const TrainingJob& job) {
  scenario::Scenario scenario = run::small_scenario();
  for (std::optional<FlopsPerSecond>& peak : scenario.cluster.gpu.peak)
    peak = FlopsPerSecond(1e15);
  scenario.work = job;
  return scenario;
}

// Nothing that was kept for one candidate is used for another, of the same model or of a new one.
TEST(Screen, SaysTheSameWhateverItWasAskedBefore) {
  Candidates candidates(1);
  const std::vector<workloads::ModelSpec> models = workloads::small_models();
  const scenario::Scenario scenario = scenario_of(candidates.draw(models.front()));
  Screen seasoned(scenario.cluster);
  for (std::size_t candidate = 0; candidate < 1400; ++candidate) {
    const TrainingJob job = candidates.draw(models[candidate / 200]);
    Screen fresh(scenario.cluster);
    ASSERT_EQ(seasoned.lower_bound(job), fresh.lower_bound(job)) << "candidate " << candidate;
  }
  const TrainingJob before = candidates.draw(models.front());
  const Seconds bound = seasoned.lower_bound(before);
  (void)seasoned.lower_bound(candidates.draw(models.back()));
  EXPECT_EQ(seasoned.lower_bound(before), bound);
}

TEST(Screen, IsTheIdealTimeWhereRanksAreAlike) {
  Candidates candidates(2);
  for (workloads::ModelSpec model : workloads::small_models())
    for (int candidate = 0; candidate < 40; ++candidate) {
      model.mtp_layers = candidate % 4 == 0 ? 2 : 0;
      model.tied_embeddings = candidate % 3 == 0;
      const TrainingJob job = candidates.draw(model);
      SCOPED_TRACE(model.model_type + ", candidate " + std::to_string(candidate));
      expect_exact(scenario_of(job));
    }
}

// A job of one rank a stage passes through every GPU that it has.
TEST(Screen, PassesThroughSlowGpusAndWeakLinks) {
  for (const std::uint32_t slow : {0U, 3U, 7U}) {
    scenario::Scenario scenario = run::small_scenario();
    scenario.job().sizes = {.pp = 8};
    scenario.job().sequence_parallel = false;
    const Seconds before = bound_of(scenario);
    scenario.cluster.slow_gpus = {{slow, 0.5}};
    expect_exact(scenario);
    EXPECT_GT(bound_of(scenario), before);
    const Seconds with_slow_gpu = bound_of(scenario);
    scenario.cluster.degraded_links = {
        {platforms::link_of(scenario.cluster, slow, platforms::LinkKind::NvlinkUp), 1e-4}};
    expect_exact(scenario);
    EXPECT_GT(bound_of(scenario), with_slow_gpu);
  }
}

// Of several data-parallel replicas, the one with the slow GPU sets the pace.
TEST(Screen, TakesTheSlowestReplica) {
  scenario::Scenario scenario = run::small_scenario();
  const Seconds before = bound_of(scenario);
  scenario.cluster.slow_gpus = {{21, 0.25}};
  EXPECT_GT(bound_of(scenario), 1.5 * before);
  EXPECT_LE(bound_of(scenario), ideal_time(scenario) * (1 + 1e-9));
}

// The bound counts kernels at full speed; what communication beside them costs makes the iteration longer only.
TEST(Screen, IsBelowAnIterationThatOverlapSlows) {
  scenario::Scenario scenario = run::small_scenario();
  scenario.training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true};
  scenario.cluster.gpu.multiprocessors = 100;
  scenario.cluster.gpu.communication = {};
  const Seconds bound = bound_of(scenario);
  const Seconds unslowed = ideal_time(scenario);
  scenario.cluster.gpu.communication = {.tp = 10, .ep = 20, .dp = 15, .pp = 5};
  EXPECT_EQ(bound_of(scenario), bound);
  EXPECT_LE(bound, unslowed * (1 + 1e-9));
  EXPECT_GT(ideal_time(scenario), 1.001 * unslowed);
}

// Of three micro-batches one goes from the first stage to the last, and two the other way: the slow last stage runs the
// many layers of the one copy once, and the layer of the other twice.
TEST(Screen, CountsTheMicroBatchesOfEachCopy) {
  scenario::Scenario scenario = run::small_scenario();
  scenario.job().sizes = {.pp = 2};
  scenario.job().sequence_parallel = false;
  scenario.job().placement = schedulers::ChunkPlacement::Bidirectional;
  scenario.job().layers_per_stage = {1, 7};
  workloads::Training& training = scenario.training_job().training;
  training.global_batch_size = 3;
  training.seq_length = 8192;
  training.schedule = schedulers::custom_schedule_name;
  training.order = schedulers::parse_order("F0.0 F1.1 F2.1 B0.0 B1.1 B2.1\nF0.0 F1.1 F2.1 B0.0 B1.1 B2.1").order;
  scenario.cluster.slow_gpus = {{1, 0.01}};
  EXPECT_LE(bound_of(scenario), ideal_time(scenario) * (1 + 1e-9));
}

scenario::Scenario served(std::int64_t prompt, std::int64_t output, std::int64_t block,
                          const workloads::ParallelSizes& sizes) {
  scenario::Scenario scenario = run::small_scenario();
  workloads::InferenceJob job;
  static_cast<workloads::Job&>(job) = scenario.job();
  job.sizes = sizes;
  job.sequence_parallel = sizes.tp > 1;
  job.inference = {.batch_size = 8 * sizes.dp,
                   .micro_batch_size = 2,
                   .prompt_length = prompt,
                   .output_length = output,
                   .kv_block_size = block};
  scenario.work = job;
  return scenario;
}

TEST(Screen, CountsEveryStepOfABatch) {
  for (const std::int64_t output : {1, 2, 3, 30}) {
    expect_exact(served(128, output, 16, {.tp = 2, .ep = 2}));
    expect_exact(served(100, output, 1, {}));
  }
}

// Halves that take turns, also where only every other layer has experts.
TEST(Screen, CountsTheTurnsOfTwoBatches) {
  for (const std::int64_t output : {1, 2, 30})
    for (const bool alternates : {false, true}) {
      scenario::Scenario scenario = served(128, output, 16, {.tp = 2, .ep = 4, .dp = 2});
      if (alternates)
        for (std::size_t layer = 0; layer < 8; ++layer)
          scenario.job().model.layer_kinds.push_back({.has_experts = layer % 2 == 1});
      const Seconds whole = bound_of(scenario);
      scenario.inference_job().inference.overlaps_two_batches = true;
      expect_exact(scenario);
      EXPECT_NE(bound_of(scenario), whole);
    }
}

// More blocks than are looked at: each stands for those after it, which are no cheaper.
TEST(Screen, IsCloseWithManyTokens) {
  for (const workloads::ParallelSizes& sizes : {workloads::ParallelSizes{}, workloads::ParallelSizes{.pp = 4}}) {
    const scenario::Scenario scenario = served(16, 400, 1, sizes);
    const double tightness = bound_of(scenario) / ideal_time(scenario);
    EXPECT_LE(tightness, 1 + 1e-9);
    EXPECT_GE(tightness, 0.98);
  }
}

} // namespace
} // namespace moesim::screen
