#include "workloads/stage_memory.hpp"

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;

Bytes activations(const TrainingJob& job, std::size_t stage) {
  return stage_memories(job)[stage].at_peak[Memory::Activations];
}

// 2 layers a stage; a stage has as many micro-batches in flight as there are stages from it on.
TEST(StageMemory, EarlierStagesHoldMoreMicroBatches) {
  const TrainingJob job = job_of(small_dense(), {.pp = 4});
  const Bytes layer = layer_activations(job.model, job.micro_batch(), job.model.kind_of(0));
  EXPECT_EQ(activations(job, 0), layer * (4 * 2));
  EXPECT_EQ(activations(job, 2), layer * (2 * 2));
  EXPECT_EQ(activations(job, 3), layer * 2 + head_activations(job.model, job.micro_batch()));
}

// ZB-H1 keeps to 1F1B's memory (arXiv 2401.10241, section 2.1): the first stage gives its weights' gradients at once,
// and what they need is less than a layer holds.
TEST(StageMemory, ZeroBubbleH1HoldsAsMuchAsOneForwardOneBackward) {
  for (const std::int64_t stages : {2, 4}) {
    const TrainingJob job = job_of(small_dense(), {.pp = stages});
    EXPECT_EQ(activations(scheduled(job, "zb-h1"), 0), activations(job, 0)) << stages;
  }
}

// Bytes per parameter: Megatron's distributed optimizer is documented as 6 + 12/d with BF16 and 8 + 8/d with FP32
// (Megatron Core, dist_optimizer.md).
TEST(StageMemory, WeightsGradientsAndOptimizerAreMegatrons) {
  TrainingJob job = job_of(small_dense(), {.dp = 4});
  const double parameters = stage_parameters(job, 0).dense;
  const auto per_parameter = [&] { return stage_memories(job)[0].at_rest.total().value() / parameters; };
  EXPECT_DOUBLE_EQ(per_parameter(), 6 + 12.0 / 4);
  job.training.grad_reduce_in_fp32 = false; // "4 + 16/d" there, with the FP32 copy of the gradient that a step makes
  EXPECT_DOUBLE_EQ(per_parameter(), 4 + 12.0 / 4);
  job.training.grad_reduce_in_fp32 = true;
  job.training.precision = Precision::Fp32;
  EXPECT_DOUBLE_EQ(per_parameter(), 8 + 8.0 / 4);
  job.training.sharding = Sharding::None;
  EXPECT_DOUBLE_EQ(per_parameter(), 16);
  job.training.precision = Precision::Fp16;
  EXPECT_DOUBLE_EQ(per_parameter(), 18);
}

// Korthikanti et al., arXiv 2205.05198: bytes of a GPT layer for s tokens, hidden size h, a heads, with dropout. Fused
// attention keeps FP32 statistics instead of the scores.
struct Korthikanti {
  ModelSpec model = small_dense();
  double s = 32, h = 64, a = 8;

  Korthikanti() {
    model.gated = false;
    model.num_kv_heads = 8;
    model.intermediate_size = 256;
  }
  [[nodiscard]] double layer(const TrainingJob& job) const {
    return layer_activations(job.model, job.micro_batch(), {}).value();
  }
  [[nodiscard]] TrainingJob job(ParallelSizes sizes) const {
    TrainingJob job = job_of(model, sizes);
    job.training.attention_backend = AttentionBackend::Unfused;
    job.training.attention_dropout = job.training.hidden_dropout = 0.1;
    return job;
  }
};

TEST(StageMemory, ActivationsAreKorthikantisEquation1) {
  const Korthikanti gpt;
  TrainingJob job = gpt.job({});
  EXPECT_DOUBLE_EQ(gpt.layer(job), 34 * gpt.s * gpt.h + 5 * gpt.a * gpt.s * gpt.s);
  // Without dropout there are no masks (2 sbh, as^2b) and no scores after it (2 as^2b).
  job.training.attention_dropout = job.training.hidden_dropout = 0;
  EXPECT_DOUBLE_EQ(gpt.layer(job), (34 - 2) * gpt.s * gpt.h + (5 - 3) * gpt.a * gpt.s * gpt.s);
}

TEST(StageMemory, TensorParallelismSplitsEquation2) {
  const Korthikanti gpt;
  TrainingJob job = gpt.job({.tp = 4});
  job.sequence_parallel = false; // the norms' inputs and outputs, and the masks, are on every rank
  EXPECT_DOUBLE_EQ(gpt.layer(job), gpt.s * gpt.h * (10 + 24.0 / 4) + 5 * gpt.a * gpt.s * gpt.s / 4);
}

TEST(StageMemory, SequenceParallelismSplitsEquation4) {
  const Korthikanti gpt;
  EXPECT_DOUBLE_EQ(gpt.layer(gpt.job({.tp = 4})), (34 * gpt.s * gpt.h + 5 * gpt.a * gpt.s * gpt.s) / 4);
}

TEST(StageMemory, SelectiveRecomputationLeavesEquation6) {
  const Korthikanti gpt;
  TrainingJob job = gpt.job({.tp = 4});
  job.training.recompute.granularity = Recompute::Granularity::Selective;
  job.training.recompute.modules.add(RecomputeModule::CoreAttn);
  EXPECT_DOUBLE_EQ(gpt.layer(job), 34 * gpt.s * gpt.h / 4);
}

// Full recomputation keeps the inputs, 2 sbh a layer (table 2), and one layer's activations at a time.
TEST(StageMemory, FullRecomputationKeepsInputs) {
  const Korthikanti gpt;
  TrainingJob job = job_of(gpt.model, {.pp = 4});
  const double layer = gpt.layer(job);
  job.training.recompute.granularity = Recompute::Granularity::Full;
  const double input = 2 * gpt.s * gpt.h;
  EXPECT_DOUBLE_EQ(activations(job, 0).value(), 4 * 2 * input + layer - input);
  job.training.recompute.num_layers = 2; // one input for both layers, and both layers' activations at a time
  EXPECT_DOUBLE_EQ(activations(job, 0).value(), 4 * input + 2 * layer - input);
  job.training.recompute = {
      .granularity = Recompute::Granularity::Full, .modules = {}, .method = Recompute::Method::Block};
  EXPECT_DOUBLE_EQ(activations(job, 0).value(), 4 * (input + layer)); // the second layer is gone when the first returns
}

} // namespace
} // namespace moesim::workloads
