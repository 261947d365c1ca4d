// What frameworks make of routers, permutations and experts: which steps are kernels of their own, and what the host
// launches.
#include <gmock/gmock.h>

#include "tests/workloads/amounts.hpp"
#include "tests/workloads/test_job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {
namespace {

constexpr double tokens = 32; // of small_moe()
constexpr double hidden = 64;

// Of two experts a rank, two products forward and four backward, each behind a cast of its input, and two casts: a
// launch more for each expert of each product, and of each cast.
TEST(ExpertKernels, ScalesThatAreNotFusedAreLaunches) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  shape.precision = Precision::Mxfp8;
  const auto launches = [&](ScaleKernels kernels) {
    shape.scale_kernels = kernels;
    return std::pair(amounts_of(layer_forward(model, shape, model.kind_of(0)), "experts").launches,
                     amounts_of(layer_backward(model, shape, model.kind_of(0)), "experts").launches);
  };
  const auto [forward, backward] = launches(ScaleKernels::None);
  EXPECT_EQ(launches(ScaleKernels::Swizzle), std::pair(forward + 2 * 2, backward + 4 * 2));
  EXPECT_EQ(launches(ScaleKernels::ZeroAndSwizzle), std::pair(forward + (2 + 2) * 2, backward + (4 + 2) * 2));
  shape.precision = Precision::Fp8; // whose scale is one for a tensor
  const auto one_scale = launches(ScaleKernels::None);
  EXPECT_EQ(launches(ScaleKernels::ZeroAndSwizzle), one_scale);
}

// 8 experts on 4 ranks: both matrices of 2 experts forward, and two products for each of these backward.
TEST(ExpertKernels, ExpertsAreLaunchedOneByOne) {
  const ModelSpec model = small_moe();
  const MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto extra = [&](const Segments& segments) {
    const Amounts experts = amounts_of(segments, "experts");
    return experts.launches - experts.kernels;
  };
  const std::int64_t each = model.moe->num_experts / 4;
  EXPECT_EQ(extra(layer_forward(model, shape, model.kind_of(0))), 2 * (each - 1));
  EXPECT_EQ(extra(layer_backward(model, shape, model.kind_of(0))), 4 * (each - 1));
}

// Fusion changes how many kernels there are, not what experts and products do.
TEST(ExpertKernels, RouterAndPermutationStepByStep) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto router = [&] { return amounts_of(layer_forward(model, shape, model.kind_of(0)), "router"); };
  const std::int64_t fused = router().kernels;
  shape.moe_router_fusion = false;
  const std::int64_t apart = router().kernels;
  EXPECT_GT(apart, fused);
  shape.moe_permute_fusion = false;
  EXPECT_GT(router().kernels, apart);
  EXPECT_EQ(
      amounts_of(layer_forward(model, shape, model.kind_of(0)), "unpermute").kernels,
      amounts_of(layer_forward(model, job_of(model, {.ep = 4, .dp = 4}).micro_batch(), model.kind_of(0)), "unpermute")
              .kernels +
          1);
}

// Rows of 64 channels in BF16 that are read or written on the way to the experts and back: 32 tokens of each of four
// ranks, to two of eight experts each. All-to-all: 32 become 64 copies, which are sorted, and back again. All-gather:
// of all 128 tokens 64 copies are taken. Unfused, the copies are weighed; all-gathered ones are sorted in a second
// step; and each element that is added moves 32 bytes.
TEST(ExpertKernels, CopiesOfTokensAreMadeWhereTheDispatcherMakesThem) {
  const ModelSpec model = small_moe();
  MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
  const auto bytes = [&](Dispatcher dispatcher, bool fused) {
    shape.dispatcher = dispatcher;
    shape.moe_permute_fusion = fused;
    return amounts_of(layer_forward(model, shape, model.kind_of(0))).bytes +
           amounts_of(layer_backward(model, shape, model.kind_of(0))).bytes;
  };
  const double row = 2 * hidden;
  const double copies = 2 * tokens;
  const double sent = bytes(Dispatcher::AllToAll, true);
  const double gathered = bytes(Dispatcher::AllGather, true);
  EXPECT_DOUBLE_EQ(gathered - sent, 2 * row * (2 * (4 * tokens + copies) - 2 * (tokens + copies) - 2 * 2 * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::AllToAll, false) - sent, 2 * (row * 2 * copies + 32 * hidden * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::AllGather, false) - gathered,
                   2 * (row * (2 + 2 + 2) * copies + 2 * 32 * hidden * copies));
  EXPECT_DOUBLE_EQ(bytes(Dispatcher::DeepEp, false) - bytes(Dispatcher::DeepEp, true),
                   2 * (row * 2 * copies + 32 * hidden * copies)); // added up where they arrived
}

// Of DeepSeek-V3's 72 kernels of the router 31 are left.
TEST(ExpertKernels, RoutersOfGroupsHaveMoreKernels) {
  const auto saved = [](std::int64_t groups) {
    ModelSpec model = small_moe();
    model.moe->groups = groups;
    MicroBatchShape shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
    const auto router = [&] { return amounts_of(layer_forward(model, shape, model.kind_of(0)), "router").kernels; };
    const std::int64_t fused = router();
    shape.moe_router_fusion = false;
    return router() - fused;
  };
  EXPECT_EQ(saved(2), 72 - 31);
  EXPECT_EQ(saved(1), 18 - 1); // the steps over all probabilities
}

// DeepEP takes each token as it is and copies it where it arrives; others want a copy for each of two experts, and give
// back one for each. Of a rank's only expert, too, tokens are brought out of DeepEP's buffer.
TEST(ExpertKernels, DeepEpTakesTokensWithoutCopying) {
  const ModelSpec model = small_moe();
  const auto bytes = [&](std::int64_t ep, Dispatcher dispatcher) {
    MicroBatchShape shape = job_of(model, {.ep = ep, .dp = ep}).micro_batch();
    shape.dispatcher = dispatcher;
    return amounts_of(layer_forward(model, shape, model.kind_of(0))).bytes;
  };
  const double once = 2 * tokens * hidden;
  EXPECT_DOUBLE_EQ(bytes(4, Dispatcher::AllToAll) - bytes(4, Dispatcher::DeepEp), 2 * (1 + 2) * once);
  EXPECT_DOUBLE_EQ(bytes(8, Dispatcher::AllToAll) - bytes(8, Dispatcher::DeepEp),
                   2 * (1 + 2) * once - 2 * 2 * 2 * once);
  EXPECT_DOUBLE_EQ(bytes(1, Dispatcher::AllToAll), bytes(1, Dispatcher::DeepEp));
}

// Experts as GPT-OSS has them, four a rank or less: the first product gives 96 columns, the activation 48.
struct ClampingExperts {
  ModelSpec model = small_moe();
  MicroBatchShape shape;
  double up = 0;    // bytes of what the first product gives
  double width = 0; // of the activation
  double wide = 0;  // of hidden states

  ClampingExperts() {
    model.mlp_bias = model.clamps_activation = true;
    shape = job_of(model, {.ep = 4, .dp = 4}).micro_batch();
    const double rows = 32 * 2;
    up = 2 * rows * 96;
    width = 2 * rows * 48;
    wide = 2 * rows * 64;
  }
  [[nodiscard]] Amounts with(ExpertActivation activation, bool is_forward) {
    shape.moe_activation = activation;
    return amounts_of(is_forward ? layer_forward(model, shape, model.kind_of(0))
                                 : layer_backward(model, shape, model.kind_of(0)),
                      "experts");
  }
  [[nodiscard]] double more(ExpertActivation activation, bool is_forward) {
    return with(activation, is_forward).bytes - with(ExpertActivation::Kernel, is_forward).bytes;
  }
};

// Both halves are clamped and then joined: each reads and writes all of it; backward the clamps read what they were
// given, too. A bias times a weight is written, read and added, and joined: 6 passes over the hidden states; backward
// two products and two sums, 6, with the parts of the gradient joined, 2.
TEST(ExpertKernels, ClampsAndBiasesStepByStep) {
  ClampingExperts gpt_oss;
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, true), 4 * gpt_oss.up + 6 * gpt_oss.wide);
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, false), 5 * gpt_oss.up + 8 * gpt_oss.wide);
  // With weights in FP32 all of that is twice as wide, and is cast to it and back.
  gpt_oss.shape.dispatcher = Dispatcher::DeepEp;
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, true), 4 * gpt_oss.up + (11 + 3) * gpt_oss.wide);
  EXPECT_DOUBLE_EQ(gpt_oss.more(ExpertActivation::Steps, false), 5 * gpt_oss.up + (12 + 6 + 2) * gpt_oss.wide);
  gpt_oss.model.mlp_bias = gpt_oss.model.clamps_activation = false;
  EXPECT_EQ(gpt_oss.more(ExpertActivation::Steps, true), 0);
}

// What the kernel of the activation reads and writes is not moved, nor what its cast reads; backward the gradient of
// the activation is not written either.
TEST(ExpertKernels, ProductsThatActivate) {
  ClampingExperts experts;
  EXPECT_EQ(experts.more(ExpertActivation::InProducts, true), 0); // in BF16 nothing is
  experts.shape.precision = Precision::Mxfp8;
  EXPECT_DOUBLE_EQ(experts.more(ExpertActivation::InProducts, true), -(experts.up + 2 * experts.width));
  EXPECT_DOUBLE_EQ(experts.more(ExpertActivation::InProducts, false), -(2 * experts.up + 2 * experts.width));
  EXPECT_EQ(experts.with(ExpertActivation::Kernel, true).kernels,
            experts.with(ExpertActivation::InProducts, true).kernels + 2); // the activation, and its cast
}

} // namespace
} // namespace moesim::workloads
