// How long the steps of a server take, and what its memory holds.
#include "simulator/validation/step_times.hpp"

#include <gtest/gtest.h>

namespace moesim::validation {
namespace {

Deployment on_one_gpu() {
  return {"it",
          "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR
          "/models/tiny.json}\ninference: {}\n",
          {"parallel.tp=1", "parallel.dp=1"},
          1};
}

// A step that tries n tokens more has products over as many more tokens, and n layers more.
TEST(StepTimes, DraftsAreMoreTokensAndMoreLayers) {
  const Deployment deployment = on_one_gpu();
  const auto step = [&](std::int64_t sequences, std::int64_t drafted) {
    return step_times(deployment, {.sequences = sequences, .prompt_length = 256, .output_length = 2},
                      {.tokens_per_step = 1024, .drafted = drafted})
        .of(0, static_cast<double>(sequences), 1);
  };
  const auto layers = static_cast<double>(scenario_of(deployment, {}).job().model.num_layers);
  EXPECT_NEAR(step(2, 3), step(8, 0) + 3 * step(2, 0) / layers, 1e-12);
}

// What a kernel costs the host counts in steps with prompts only.
TEST(StepTimes, PromptsAreLaunchedKernelByKernel) {
  Deployment deployment = on_one_gpu();
  const Batch batch{.sequences = 4, .prompt_length = 16, .output_length = 2};
  const StepTimes graphs = step_times(deployment, batch, {.tokens_per_step = 64});
  deployment.launch_time = Seconds(1e-3);
  const StepTimes launched = step_times(deployment, batch, {.tokens_per_step = 64});
  EXPECT_EQ(launched.of(0, 4, 16), graphs.of(0, 4, 16));
  EXPECT_EQ(launched.of(16, 0, 0), launched.of(64, 0, 0)); // all that counts is the host
  EXPECT_GT(launched.of(16, 0, 0), 10 * graphs.of(16, 0, 0));
}

// Kernels of graphs may follow each other more closely than the GPU's figure says; those of prompts do not.
TEST(StepTimes, GapsBetweenKernelsCountInSteps) {
  Deployment deployment = on_one_gpu();
  const Batch batch{.sequences = 4, .prompt_length = 16, .output_length = 2};
  const auto tokens = [&](double gap) {
    deployment.kernel_gap = Seconds(gap);
    return step_times(deployment, batch, {.tokens_per_step = 64}).of(0, 4, 16);
  };
  const double usual = tokens(0);
  const double own = scenario_of(deployment, batch).cluster.gpu.launch_overhead.value();
  EXPECT_DOUBLE_EQ(tokens(own), usual);
  EXPECT_LT(tokens(own / 2), usual);
  EXPECT_NEAR(tokens(3 * own) - usual, 4 * (usual - tokens(own / 2)), 1e-9);
}

// The cache of twice as many tokens leaves room for half as many sequences.
TEST(StepTimes, MemoryHoldsFewerLongSequences) {
  const Deployment deployment = on_one_gpu();
  const auto held = [&](std::int64_t prompt) {
    return static_cast<double>(
        sequences_in_memory(deployment, {.sequences = 4, .prompt_length = prompt, .output_length = 1}, 0.9));
  };
  EXPECT_NEAR(held(16000) / held(32000), 2, 1e-3);
}

// Of 36 layers half have a window of 128 tokens: with room for it alone nearly twice as many long sequences fit.
TEST(StepTimes, WindowsMayHaveRoomForAllTokens) {
  const Deployment deployment{
      "it",
      "version: 1\nplatform: {base: dgx-b200, nodes: 1}\nmodel: {base: gpt-oss-120b}\ninference: {}\n",
      {"parallel.tp=1", "parallel.dp=1", "inference.weight_precision=nvfp4"},
      1};
  const Batch batch{.sequences = 4, .prompt_length = 32000, .output_length = 1};
  const auto window = static_cast<double>(sequences_in_memory(deployment, batch, 0.9));
  const auto whole = static_cast<double>(sequences_in_memory(deployment, batch, 0.9, WindowCache::Whole));
  EXPECT_NEAR(window / whole, 2.0 * 32000 / (32000 + 128), 0.05);
}

} // namespace
} // namespace moesim::validation
