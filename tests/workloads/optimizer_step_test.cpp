// The kernels and sums between the last backward and the next iteration.
#include "workloads/optimizer_step.hpp"

#include <string_view>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::workloads {
namespace {

double bytes_of(const TrainingJob& job, std::size_t stage, std::string_view name) {
  const graph::Programs programs = training_iteration(job);
  double bytes = 0;
  for (const graph::Step& step : programs.stages[stage].steps())
    if (programs.names[step.task.name] == name)
      bytes += programs.works[step.task.work].bytes.value();
  return bytes;
}

// Adam reads the FP32 gradient, reads and writes FP32 weight and moments, and writes the weight once more where it is
// kept in another precision.
TEST(OptimizerStep, AdamReadsAndWritesTheStateOnce) {
  TrainingJob job = job_of(small_dense(), {.dp = 4});
  const double share = stage_parameters(job, 0).dense / 4;
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), (4 + 2 * 12 + 2) * share);
  job.training.precision = Precision::Fp32;
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), (4 + 2 * 12) * share);
}

// Operation by operation 23 values of FP32 travel: 3 to clip the gradient, 5 for each moment, 6 for the denominator, 4
// for the weight. What the optimizer keeps is the same.
TEST(OptimizerStep, AnUnfusedOneMovesMore) {
  TrainingJob job = job_of(small_dense(), {.dp = 4});
  job.training.fused_optimizer = false;
  const double share = stage_parameters(job, 0).dense / 4;
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), (23 * 4 + 4 + 2) * share); // and weights are cast
  job.training.sharding = Sharding::Zero3;
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), 23 * 4 * share);
}

// DeepSeek-V3 keeps both moments in BF16 and the master weights in FP32 (arXiv 2412.19437, section 3.3.2); of the least
// that Megatron Core knows, 2 + 1 + 1 bytes are left.
TEST(OptimizerStep, StateIsOfThePrecisionThatIsAsked) {
  TrainingJob job = job_of(small_dense(), {.dp = 4});
  const double share = stage_parameters(job, 0).dense / 4;
  const auto state = [&] { return stage_memories(job)[0].at_rest[graph::Memory::Optimizer].value() / share; };
  EXPECT_DOUBLE_EQ(state(), 12);
  job.training.optimizer = {.exp_avg = Precision::Bf16, .exp_avg_sq = Precision::Bf16};
  EXPECT_DOUBLE_EQ(state(), 8);
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), (4 + 2 * 8 + 2) * share);
  job.training.optimizer = {.main_params = Precision::Fp16, .exp_avg = Precision::Fp8, .exp_avg_sq = Precision::Fp8};
  EXPECT_DOUBLE_EQ(state(), 4);
  job.training.precision = Precision::Fp32; // the weights are their own masters
  EXPECT_DOUBLE_EQ(state(), 2);
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "adam"), (4 + 2 * 2 + 2 * 4) * share);
}

// Each module has three norms of its own, and what its layer has whole on every rank.
TEST(OptimizerStep, GradientsOfModulesForFurtherTokensAreSummedOverTp) {
  TrainingJob job = job_of(small_latent(), {.tp = 2, .pp = 2});
  const double plain = bytes_of(job, 1, "reduce-norm-gradients");
  const double first = bytes_of(job, 0, "reduce-norm-gradients");
  job.model.mtp_layers = 2;
  const double module = replicated_parameters(job.model, job.model.kind_of(7)) + 3 * 64;
  EXPECT_DOUBLE_EQ(bytes_of(job, 1, "reduce-norm-gradients") - plain, 4 * 2 * module);
  EXPECT_DOUBLE_EQ(bytes_of(job, 0, "reduce-norm-gradients"), first);
}

} // namespace
} // namespace moesim::workloads
