#include "platforms/gpu.hpp"
#include "tests/platforms/gemm_operator.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace moesim::platforms {
namespace {

// 1 TFLOP/s and 100 GB/s, everything ideal.
Gpu ideal_gpu() {
  Gpu gpu;
  gpu.memory_bandwidth = BytesPerSecond(1e11);
  gpu.peak[static_cast<std::size_t>(Precision::Bf16)] = FlopsPerSecond(1e12);
  return gpu;
}

GemmCurve& bf16_curve(Gpu& gpu) {
  auto& curve = gpu.gemm[static_cast<std::size_t>(Precision::Bf16)];
  return curve ? *curve : curve.emplace();
}

TEST(Gpu, TimeIsTheLargerOfArithmeticAndTraffic) {
  const Gpu gpu = ideal_gpu();
  Operator op = gemm(1000, 1000, 1000);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 1e12);
  op.bytes = Bytes(1e9);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1e9 / 1e11);
}

TEST(Gpu, LaunchingAKernelTakesTimeWhateverItDoes) {
  Gpu gpu = ideal_gpu();
  gpu.launch_overhead = Seconds(3e-6);
  EXPECT_DOUBLE_EQ(time_of(Operator{}, gpu).value(), 3e-6);
}

TEST(Gpu, ArithmeticAndTrafficHideInPart) {
  Gpu gpu = ideal_gpu();
  gpu.roofline_exponent = 3;
  Operator op = gemm(1000, 1000, 1000); // 2 ms
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e-3);
  op.bytes = Bytes(2e8); // 2 ms as well
  EXPECT_NEAR(time_of(op, gpu).value(), 2e-3 * std::cbrt(2.0), 1e-12);
  op.bytes = Bytes(4e8);
  EXPECT_NEAR(time_of(op, gpu).value(), std::cbrt(8e-9 + 64e-9), 1e-12);
}

Operator attention() {
  Operator op;
  op.kind = OperatorKind::Attention;
  op.m = op.n = op.k = 1;
  op.flops = Flops(1e12);
  return op;
}

// Twice the peak in MXFP8, of which its own curve reaches a quarter.
TEST(Gpu, AttentionInMxfp8HasACurveOfItsOwn) {
  Gpu gpu = ideal_gpu();
  gpu.peak[static_cast<std::size_t>(Precision::Mxfp8)] = FlopsPerSecond(2e12);
  Operator op = attention();
  op.precision = Precision::Mxfp8;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 0.5);
  gpu.attention_mxfp8 = {.max_efficiency = 0.25};
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2);
  EXPECT_DOUBLE_EQ(time_of(attention(), gpu).value(), 1);
}

TEST(Gpu, ASustainedClockSlowsProductsOnly) {
  Gpu gpu = ideal_gpu();
  gpu.clock.sustained = 0.8;
  EXPECT_DOUBLE_EQ(time_of(gemm(1000, 1000, 1000), gpu).value(), 2e9 / 0.8e12);
  EXPECT_DOUBLE_EQ(time_of(attention(), gpu).value(), 1);
  Operator copy;
  copy.bytes = Bytes(1e11);
  EXPECT_DOUBLE_EQ(time_of(copy, gpu).value(), 1);
  EXPECT_EQ(peak_of(gpu, Precision::Bf16), FlopsPerSecond(1e12)); // what MFU is counted against
}

// Half of the way from the full clock to the sustained one, after as long as it takes to settle.
TEST(Gpu, AShortLoopRunsNearerToTheFullClock) {
  Gpu gpu = ideal_gpu();
  gpu.clock = {.sustained = 0.8, .settles = Seconds(0.02)};
  const Operator op = gemm(1000, 1000, 1000); // 2 ms at the full clock
  EXPECT_DOUBLE_EQ(time_in_loop(op, gpu, 10).value(), 2e-3 / 0.9);
  EXPECT_LT(time_in_loop(op, gpu, 1), time_in_loop(op, gpu, 10));
  EXPECT_NEAR(time_in_loop(op, gpu, 1'000'000) / time_of(op, gpu), 1, 1e-5);
  EXPECT_EQ(time_in_loop(attention(), gpu, 10), time_of(attention(), gpu));
  gpu.clock = {};
  EXPECT_EQ(time_in_loop(op, gpu, 10), time_of(op, gpu));
}

// One launch of each; the clock is that of all that runs.
TEST(Gpu, ALoopOfSeveralKernelsHasOneClock) {
  Gpu gpu = ideal_gpu();
  gpu.clock = {.sustained = 0.8, .settles = Seconds(0.04)};
  gpu.launch_overhead = Seconds(1e-3);
  const std::vector<Operator> pair(2, gemm(1000, 1000, 1000)); // 2 ms each at the full clock
  EXPECT_DOUBLE_EQ(time_in_loop(pair, gpu, 10).value(), 2 * (1e-3 + 2e-3 / 0.9));
}

// Groups are products one by one, as Transformer Engine's, unless they share a kernel.
TEST(Gpu, KernelsForSeveralGroupsMayHaveCurvesOfTheirOwn) {
  Gpu gpu = ideal_gpu();
  bf16_curve(gpu).max_efficiency = 0.8;
  EXPECT_EQ(gemm_curve_of(gpu, Precision::Bf16, true), gemm_curve_of(gpu, Precision::Bf16));
  const GemmCurve grouped{.max_efficiency = 0.5};
  gpu.grouped_gemm[static_cast<std::size_t>(Precision::Bf16)] = grouped;
  EXPECT_EQ(gemm_curve_of(gpu, Precision::Bf16, true), grouped);
  EXPECT_EQ(gemm_curve_of(gpu, Precision::Bf16), bf16_curve(gpu));
  Operator op = gemm(1000, 1000, 1000, 4);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 8e9 / 0.8e12);
  op.groups_share_kernel = true;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 8e9 / 0.5e12);
}

TEST(Gpu, TurningWeightsIntoSixteenBitsMayCapWhatProductsReach) {
  Gpu gpu = ideal_gpu();
  gpu.peak[static_cast<std::size_t>(Precision::Fp8)] = FlopsPerSecond(1e12);
  bf16_curve(gpu).max_efficiency = 0.8;
  gpu.unpacking_efficiency = 0.5;
  Operator op = gemm(1000, 1000, 1000);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.8e12);
  op.weight_bytes = 0.5;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.8e12); // of one product nothing is known
  op.groups_share_kernel = true;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.5e12);
  op.weight_bytes = 4; // wider ones are not unpacked
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.8e12);
  op.weight_bytes = 0.5;
  gpu.unpacking_efficiency = 0.9;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.8e12);
  gpu.unpacking_efficiency = 0.5;
  op.precision = Precision::Fp8; // tensor cores take 4 and 8 bits together
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / 0.8e12);
}

TEST(Gpu, ACurveMaySayWhatItsTrafficGets) {
  Gpu gpu = ideal_gpu();
  gpu.memory_efficiency = 0.5;
  Operator op = gemm(1, 1, 1);
  op.bytes = Bytes(1e9);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1e9 / 0.5e11);
  bf16_curve(gpu).memory_efficiency = 0.8;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1e9 / 0.8e11);
}

TEST(Gpu, AGroupedKernelWalksPastIdleGroups) {
  Gpu gpu = ideal_gpu();
  Operator op = gemm(1000, 1000, 1000, 4);
  const double busy = time_of(op, gpu).value();
  op.idle_groups = 5;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), busy);
  bf16_curve(gpu).idle_group = Seconds(0.25);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), busy + 5 * 0.25);
}

// Rows of 3 in and 5 out of 2 bytes: two groups of 10 rows padded to 16, or of 17 and 3 rows to 32 and 16.
TEST(Gpu, PaddedRowsTravelToo) {
  Gpu gpu = ideal_gpu();
  bf16_curve(gpu).padded_rows = 16;
  Operator op = gemm(10, 5, 3, 2);
  op.bytes = Bytes(1e6);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), (1e6 + 2 * 6 * (3 + 5) * 2) / 1e11);
  op.rows = GroupRows({17, 3});
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), (1e6 + (15 + 13) * (3 + 5) * 2) / 1e11);
  op.m = 16;
  op.rows = {};
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1e6 / 1e11);
}

TEST(Gpu, EachPrecisionHasItsPeakAndItsCurve) {
  Gpu gpu = ideal_gpu();
  gpu.peak[static_cast<std::size_t>(Precision::Fp8)] = FlopsPerSecond(2e12);
  gpu.gemm[static_cast<std::size_t>(Precision::Fp8)] = GemmCurve{.max_efficiency = 0.5};
  bf16_curve(gpu).max_efficiency = 0.8;
  Operator op = gemm(1000, 1000, 1000);
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / (0.8 * 1e12));
  op.precision = Precision::Fp8;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / (0.5 * 2e12));
  // Without a curve of its own, that of FP8 at its own peak.
  gpu.peak[static_cast<std::size_t>(Precision::Nvfp4)] = FlopsPerSecond(4e12);
  op.precision = Precision::Nvfp4;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 2e9 / (0.5 * 4e12));
}

} // namespace
} // namespace moesim::platforms
