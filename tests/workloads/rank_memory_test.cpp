#include "workloads/rank_memory.hpp"

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"

namespace moesim::workloads {
namespace {

// Every parameter is somewhere, once per replica of what holds it; norms and routers are on every tensor rank.
TEST(RankMemory, SharesAddUpToTheModel) {
  const ModelSpec model = small_moe();
  const TrainingJob job = job_of(model, {.tp = 2, .pp = 4, .ep = 8, .dp = 8});
  double dense = 0;
  double expert = 0;
  for (std::int64_t stage = 0; stage < 4; ++stage) {
    const RankParameters parameters = stage_parameters(job, stage);
    dense += 2 * parameters.dense;
    expert += 8 * parameters.expert;
  }
  const double replicated = 8 * (2 * norm_parameters(model) + router_parameters(model)) + norm_parameters(model);
  EXPECT_DOUBLE_EQ(dense + expert, total_parameters(model) + replicated);
}

TEST(RankMemory, Zero1SplitsTheOptimizerOverTheReplicas) {
  TrainingJob job = job_of(small_moe(), {.tp = 2, .pp = 2, .ep = 4, .dp = 8});
  const RankParameters parameters = stage_parameters(job, 0);
  EXPECT_DOUBLE_EQ(stage_memory(job, 0).optimizer.value(), 12 * (parameters.dense / 8 + parameters.expert / 4));
  job.training.sharding = Sharding::None;
  EXPECT_DOUBLE_EQ(stage_memory(job, 0).optimizer.value(), 12 * (parameters.dense + parameters.expert));
}

TEST(RankMemory, EarlierStagesHoldMoreMicroBatches) {
  const TrainingJob job = job_of(small_dense(), {.pp = 4});
  const Bytes layer = layer_activations(job.model, job.micro_batch());
  EXPECT_EQ(stage_memory(job, 0).activations, layer * (4 * 2));
  EXPECT_EQ(stage_memory(job, 2).activations, layer * (2 * 2));
  EXPECT_EQ(stage_memory(job, 3).activations, layer * 2 + head_activations(job.model, job.micro_batch()));
}

} // namespace
} // namespace moesim::workloads
