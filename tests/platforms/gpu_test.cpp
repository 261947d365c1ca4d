#include "platforms/gpu.hpp"

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

Operator gemm(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t groups = 1) {
  Operator op;
  op.kind = OperatorKind::Gemm;
  op.groups = groups;
  op.m = m;
  op.n = n;
  op.k = k;
  op.flops = Flops(2.0 * static_cast<double>(groups * m * n) * static_cast<double>(k));
  return op;
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

TEST(Gpu, AShortKTakesLongerPerFlop) {
  Gpu gpu = ideal_gpu();
  bf16_curve(gpu).half_k = 128;
  EXPECT_DOUBLE_EQ(time_of(gemm(1000, 1000, 128), gpu).value(), 2 * 2.0 * 1e6 * 128 / 1e12);
}

TEST(Gpu, TilesAndWavesAreWhole) {
  Gpu gpu = ideal_gpu();
  bf16_curve(gpu).tile_m = 128;
  bf16_curve(gpu).tile_n = 128;
  bf16_curve(gpu).multiprocessors = 10;
  const auto seconds = [&](std::int64_t m, std::int64_t n, std::int64_t groups = 1) {
    return time_of(gemm(m, n, 1000, groups), gpu).value();
  };
  const double wave = 10 * 128 * 128 * 2.0 * 1000 / 1e12;
  EXPECT_DOUBLE_EQ(seconds(128 * 5, 128 * 2), wave);      // exactly one wave
  EXPECT_DOUBLE_EQ(seconds(128 * 11, 128), 2 * wave);     // eleven tiles: a second wave for one
  EXPECT_DOUBLE_EQ(seconds(128 * 11 - 5, 128), 2 * wave); // a part of a tile counts whole
  EXPECT_DOUBLE_EQ(seconds(128, 128), wave);              // one tile keeps the others waiting
  EXPECT_DOUBLE_EQ(seconds(128, 128, 10), wave);          // ten experts fill them
}

TEST(Gpu, AttentionDependsOnHeadSizeAndLength) {
  Gpu gpu = ideal_gpu();
  gpu.attention = {.max_efficiency = 0.5, .half_head_size = 20, .half_length = 500};
  Operator op;
  op.kind = OperatorKind::Attention;
  op.n = 1500;
  op.k = 60;
  op.flops = Flops(1e12);
  const double share = 0.5 * 60 / 80 * 1500 / 2000;
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1 / share);
  op.pass = Pass::Backward; // five products where the formula counts four
  EXPECT_DOUBLE_EQ(time_of(op, gpu).value(), 1.25 / share);
}

TEST(Gpu, ASustainedClockSlowsArithmeticOnly) {
  Gpu gpu = ideal_gpu();
  gpu.sustained_clock = 0.8;
  Operator attention;
  attention.kind = OperatorKind::Attention;
  attention.n = attention.k = 1;
  attention.flops = Flops(1e12);
  EXPECT_DOUBLE_EQ(time_of(gemm(1000, 1000, 1000), gpu).value(), 2e9 / 0.8e12);
  EXPECT_DOUBLE_EQ(time_of(attention, gpu).value(), 1 / 0.8);
  Operator copy;
  copy.bytes = Bytes(1e11);
  EXPECT_DOUBLE_EQ(time_of(copy, gpu).value(), 1);
  EXPECT_EQ(peak_of(gpu, Precision::Bf16), FlopsPerSecond(1e12)); // what MFU is counted against
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
}

TEST(Gpu, MoreWorkNeverTakesLess) {
  Gpu gpu = ideal_gpu();
  bf16_curve(gpu) = {.max_efficiency = 0.85, .half_k = 128, .tile_m = 64, .tile_n = 128, .multiprocessors = 132};
  double before = 0;
  for (std::int64_t m = 1; m < 40000; m += 37) {
    const double now = time_of(gemm(m, 4096, 4096), gpu).value();
    EXPECT_GE(now, before * (1 - 1e-12)) << m;
    before = now;
  }
}

} // namespace
} // namespace moesim::platforms
