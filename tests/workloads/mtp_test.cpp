// Multi-token prediction: one more layer and head on the last stage for each further token.
#include <gmock/gmock.h>

#include "simulator/config/node.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

TrainingJob predicting_job(const ParallelSizes& sizes) {
  TrainingJob job = job_of(small_latent(), sizes);
  job.model.mtp_layers = 1;
  return job;
}

double flops_of_stage(const TrainingJob& job, std::size_t stage) {
  const graph::Programs programs = training_iteration(job);
  double flops = 0;
  for (const graph::Step& step : programs.stages[stage].steps())
    flops += programs.works[step.task.work].flops.value();
  return flops;
}

// A layer, a head and the projection of two joined hidden states to one, on the last stage; three times over for
// forward and backward.
TEST(Mtp, TheLastStageComputesOneLayerAndHeadMore) {
  const TrainingJob job = predicting_job({.pp = 4});
  const TrainingJob plain = job_of(small_latent(), {.pp = 4});
  const double micro_batches = 16;
  double layer = 0;
  for (const Segment& segment : layer_forward(job.model, job.micro_batch(), job.model.kind_of(7)))
    layer += segment.work.flops.value();
  const double head = 2.0 * 32 * 64 * 512;
  const double join = 2.0 * 32 * (2 * 64) * 64;
  EXPECT_DOUBLE_EQ(flops_of_stage(job, 3) - flops_of_stage(plain, 3), micro_batches * 3 * (layer + head + join));
  for (const std::size_t stage : {0u, 1u, 2u})
    EXPECT_EQ(flops_of_stage(job, stage), flops_of_stage(plain, stage));
}

TEST(Mtp, AModuleIsAProjectionThreeNormsAndALayer) {
  TrainingJob job = predicting_job({});
  const double hidden = 64;
  const RankParameters layer = layer_parameters(job, job.model.kind_of(7));
  EXPECT_DOUBLE_EQ(mtp_share(job).dense, layer.dense + 2 * hidden * hidden + 3 * hidden);
  EXPECT_DOUBLE_EQ(mtp_share(job).expert, layer.expert);
  job.sizes.pp = 4; // a copy of the embedding
  EXPECT_DOUBLE_EQ(mtp_share(job).dense, layer.dense + 2 * hidden * hidden + 3 * hidden + 512 * hidden);
}

// The model card on Hugging Face: 685B in all, the module's copies of embedding and head included.
TEST(Mtp, DeepSeekV3HasThePublishedParameters) {
  const config::Node root = config::parse_yaml("model: deepseek-v3", "test.yaml");
  Problems problems;
  std::vector<std::string> ignored;
  const TrainingJob job = job_of(read_model(*root.find("model"), "model", problems, ignored), {});
  const RankParameters module = mtp_share(job);
  const double shared = embedding_parameters(job.model) + head_parameters(job.model);
  EXPECT_NEAR((total_parameters(job.model) + module.dense + module.expert + shared) / 685e9, 1, 0.001);
}

TEST(Mtp, FirstAndLastStageSumTheEmbeddingsGradient) {
  const TrainingJob job = predicting_job({.pp = 2});
  const graph::TaskGraph graph = graph::expand(training_iteration(job), Layout(job.sizes).membership());
  EXPECT_EQ(graph::topological_order(graph).size(), graph.task_count());
  std::size_t transfers = 0;
  for (const graph::Task& task : graph.tasks())
    transfers += graph.names()[task.name] == "embedding-gradient" ? 1u : 0u;
  EXPECT_EQ(transfers, 2u);
}

// Megatron Core, multi_token_prediction.py, _checkpointed_forward(): method block leaves the modules as they are.
TEST(Mtp, RecomputingTheFirstLayersLeavesOutTheModules) {
  const auto forward_again = [](TrainingJob job) {
    job.training.recompute.granularity = Recompute::Granularity::None;
    const double once = flops_of_stage(job, 1);
    job.training.recompute.granularity = Recompute::Granularity::Full;
    return flops_of_stage(job, 1) - once;
  };
  TrainingJob job = predicting_job({.pp = 2});
  TrainingJob plain = job_of(small_latent(), {.pp = 2});
  job.training.recompute.method = plain.training.recompute.method = Recompute::Method::Block;
  EXPECT_GT(forward_again(plain), 0);
  EXPECT_DOUBLE_EQ(forward_again(job), forward_again(plain));
  job.training.recompute.method = plain.training.recompute.method = Recompute::Method::Uniform;
  EXPECT_GT(forward_again(job), forward_again(plain));
}

// The projection and the layer are of linear layers, of whose weights FP8 training keeps two copies of a byte each.
TEST(Mtp, ModulesHaveFp8CopiesOfTheirWeights) {
  TrainingJob job = predicting_job({.pp = 2});
  const RankParameters layer = layer_parameters(job, job.model.kind_of(7));
  const double products = layer.dense + layer.expert - replicated_parameters(job.model, job.model.kind_of(7));
  const auto weights = [&](std::size_t stage) {
    return stage_memories(job)[stage].at_rest[graph::Memory::Weights].value();
  };
  const double stage_layers = 4 * products;
  const double in_bf16 = weights(1);
  job.training.precision = Precision::Fp8;
  EXPECT_DOUBLE_EQ(weights(1) - in_bf16, 2 * (stage_layers + products + 2 * 64 * 64));
}

TEST(Mtp, MemoryReturnsWhateverIsRecomputed) {
  for (const auto granularity : {Recompute::Granularity::None, Recompute::Granularity::Full}) {
    TrainingJob job = predicting_job({.tp = 2, .pp = 2, .ep = 4, .dp = 4});
    job.training.recompute.granularity = granularity;
    for (const graph::Program& program : training_iteration(job).stages) {
      graph::MemoryUse balance;
      const graph::Programs programs = training_iteration(job);
      for (const graph::Step& step : program.steps()) {
        balance += programs.works[step.task.work].allocated;
        balance -= programs.works[step.task.work].freed;
      }
      EXPECT_EQ(balance, graph::MemoryUse());
    }
  }
}

} // namespace
} // namespace moesim::workloads
