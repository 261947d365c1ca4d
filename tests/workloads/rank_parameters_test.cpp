#include "workloads/rank_parameters.hpp"

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

// Every parameter is somewhere, once per replica of what holds it; norms, routers, latents' projections and the biases
// of what is summed are on every tensor rank.
TEST(RankParameters, SharesAddUpToTheModel) {
  for (const ModelSpec& model : small_models()) {
    const TrainingJob job = job_of(model, {.tp = 2, .pp = 4, .ep = model.moe ? 8 : 1, .dp = 8});
    double dense = 0;
    double expert = 0;
    for (std::int64_t stage = 0; stage < 4; ++stage) {
      const RankParameters parameters = stage_parameters(job, stage);
      dense += 2 * parameters.dense;
      expert += 8 * parameters.expert;
    }
    double replicated = norm_parameters(model);
    for (std::int64_t layer = 0; layer < model.num_layers; ++layer) {
      replicated += replicated_parameters(model, model.kind_of(layer));
      replicated += model.output_bias ? 64 : 0;
      replicated += model.mlp_bias && !model.kind_of(layer).has_experts ? 64 : 0;
    }
    EXPECT_DOUBLE_EQ(dense + expert, total_parameters(model) + replicated) << model.model_type;
  }
}

TEST(RankParameters, AStageHoldsItsOwnLayers) {
  const TrainingJob job = job_of(small_latent(), {.pp = 4});
  const LayerKind dense{.has_experts = false};
  const LayerKind sparse{.has_experts = true};
  const RankParameters first = stage_parameters(job, 0);
  EXPECT_DOUBLE_EQ(first.dense, 2 * layer_parameters(job, dense).dense + embedding_share(job).dense);
  EXPECT_EQ(first.expert, 0);
  EXPECT_DOUBLE_EQ(stage_parameters(job, 1).expert, 2 * layer_parameters(job, sparse).expert);
}

TEST(RankParameters, Zero1SplitsTheOptimizerOverTheReplicas) {
  TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 8});
  const RankParameters parameters = stage_parameters(job, 0);
  EXPECT_DOUBLE_EQ(optimizer_share(job, parameters), parameters.dense / 8 + parameters.expert / 4);
  job.training.sharding = Sharding::None;
  EXPECT_DOUBLE_EQ(optimizer_share(job, parameters), parameters.dense + parameters.expert);
}

} // namespace
} // namespace moesim::workloads
