#include "simulator/calibration/calibrate.hpp"

#include <array>

#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "workloads/operators.hpp"

namespace moesim::calibration {
namespace {

using platforms::GemmCurve;
using platforms::Gpu;

GemmCurve& curve_of(Gpu& gpu, Precision precision) {
  auto& curve = gpu.gemm[static_cast<std::size_t>(precision)];
  return curve ? *curve : curve.emplace();
}

// What is known beforehand, and nothing of the curves.
Gpu base() {
  Gpu gpu;
  gpu.name = "base";
  gpu.memory_bandwidth = BytesPerSecond(3e12);
  gpu.multiprocessors = 100;
  gpu.roofline_exponent = 3;
  gpu.clock = {.sustained = 0.8, .settles = Seconds(0.1)};
  gpu.peak[static_cast<std::size_t>(Precision::Bf16)] = FlopsPerSecond(9e14);
  return gpu;
}

// The GPU that the kernels of these tests were measured on.
Gpu truth() {
  Gpu gpu = base();
  gpu.memory_efficiency = 0.87;
  gpu.launch_overhead = Seconds(2.3e-6);
  curve_of(gpu, Precision::Bf16) = {.max_efficiency = 0.77,
                                    .operand_bandwidth = BytesPerSecond(1.2e13),
                                    .result_bandwidth = BytesPerSecond(5e12),
                                    .split_overhead = Seconds(4e-6),
                                    .largest_tile = 32768,
                                    .whole_waves = true};
  gpu.attention = {.max_efficiency = 0.66, .half_head_size = 25, .tile_time = Seconds(2.5e-6), .backward = 0.74};
  return gpu;
}

void measure(std::vector<Measurement>& rows, const Operator& op) {
  constexpr std::int64_t launches = 20;
  rows.push_back({op, launches, platforms::time_in_loop(op, truth(), launches)});
}

std::vector<Measurement> copies() {
  std::vector<Measurement> rows;
  for (const double bytes : {1e4, 1e6, 1e8, 1e9})
    measure(rows, workloads::memory_bound(Bytes(bytes), Pass::Forward));
  return rows;
}

std::vector<Measurement> products() {
  std::vector<Measurement> rows = copies();
  for (const std::int64_t m : {1, 16, 128, 1000, 4096})
    for (const std::int64_t n : {128, 1024, 5000})
      for (const std::int64_t k : {64, 1024, 16384})
        measure(rows, workloads::gemm_forward({.rows = m, .n = n, .k = k}, Precision::Bf16));
  return rows;
}

std::vector<Measurement> everything() {
  std::vector<Measurement> rows = products();
  for (const Pass pass : {Pass::Forward, Pass::Backward})
    for (const std::int64_t length : {128, 1024, 8192})
      for (const std::int64_t head : {64, 128})
        measure(rows, workloads::causal_attention({.heads = 32,
                                                   .kv_heads = 32,
                                                   .length = length,
                                                   .kv_length = length,
                                                   .keys = length,
                                                   .pairs = 0.5 * static_cast<double>(length * length),
                                                   .qk_head_dim = head,
                                                   .v_head_dim = head},
                                                  pass, Precision::Bf16));
  return rows;
}

std::string error_of(const std::vector<Measurement>& rows, const Gpu& gpu) {
  try {
    (void)calibrate(rows, gpu, "m.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Calibrate, FindsTheConstantsThatMadeTheTimes) {
  const Calibration found = calibrate(everything(), base(), "m.csv");
  const Gpu expected = truth();
  const auto expect_close = [](double value, double wanted) { EXPECT_NEAR(value / wanted, 1, 0.01); };
  expect_close(found.gpu.launch_overhead.value(), expected.launch_overhead.value());
  expect_close(found.gpu.memory_efficiency, expected.memory_efficiency);
  const GemmCurve curve = gemm_curve_of(found.gpu, Precision::Bf16);
  const GemmCurve wanted = gemm_curve_of(expected, Precision::Bf16);
  expect_close(curve.max_efficiency, wanted.max_efficiency);
  expect_close(curve.operand_bandwidth.value(), wanted.operand_bandwidth.value());
  expect_close(curve.result_bandwidth.value(), wanted.result_bandwidth.value());
  expect_close(curve.split_overhead.value(), wanted.split_overhead.value());
  EXPECT_EQ(curve.largest_tile, wanted.largest_tile);
  EXPECT_EQ(curve.whole_waves, wanted.whole_waves);
  expect_close(found.gpu.attention.max_efficiency, expected.attention.max_efficiency);
  expect_close(found.gpu.attention.half_head_size, expected.attention.half_head_size);
  expect_close(found.gpu.attention.tile_time.value(), expected.attention.tile_time.value());
  expect_close(found.gpu.attention.backward, expected.attention.backward);
  ASSERT_EQ(found.fits.size(), 4U);
  for (const CurveFit& fit : found.fits) {
    EXPECT_LT(fit.mean_absolute_error, 0.001) << fit.curve;
    EXPECT_NEAR(fit.within_20, 1, 1e-12) << fit.curve;
  }
}

// The base's grouped products ran on another GPU.
TEST(Calibrate, ProductsThatWereMeasuredServeGroupsToo) {
  Gpu gpu = base();
  gpu.grouped_gemm[static_cast<std::size_t>(Precision::Bf16)] = GemmCurve{.max_efficiency = 0.1};
  EXPECT_EQ(calibrate(everything(), gpu, "m.csv").gpu.grouped_gemm, platforms::GemmCurves{});
  EXPECT_EQ(calibrate(copies(), gpu, "m.csv").gpu.grouped_gemm, gpu.grouped_gemm);
}

TEST(Calibrate, WhatWasNotMeasuredStays) {
  Gpu gpu = base();
  gpu.attention.max_efficiency = 0.4;
  const Calibration found = calibrate(copies(), gpu, "m.csv");
  EXPECT_EQ(found.gpu.attention, gpu.attention);
  EXPECT_EQ(found.gpu.gemm, gpu.gemm);
  EXPECT_EQ(found.gpu.clock, gpu.clock);
  EXPECT_EQ(found.fits.size(), 1U);
}

// Measured twice as fast as the memory can be: the fit ends at the whole of it, and says how far off that is.
TEST(Calibrate, NoFitFindsMoreThanThePeak) {
  std::vector<Measurement> rows = copies();
  for (Measurement& row : rows)
    row.time = row.time / 2;
  const Calibration found = calibrate(rows, base(), "m.csv");
  EXPECT_EQ(found.gpu.memory_efficiency, 1);
  EXPECT_GT(found.fits.at(0).mean_absolute_error, 0.1);
}

TEST(Calibrate, SaysWhatItCannotFit) {
  Gpu unknown = base();
  unknown.multiprocessors = 0;
  unknown.peak = {};
  EXPECT_EQ(error_of(products(), unknown),
            "m.csv:1:1: precision: kernels in bf16 were measured, but base has no peak.bf16; expected a base that has\n"
            "m.csv:1:1: base does not say how many multiprocessors it has; expected a base that does\n");
  std::vector<Measurement> few = copies();
  few.resize(3);
  EXPECT_EQ(error_of(few, base()), "m.csv:1:1: 3 rows for memory; expected none or at least 4, two for each figure\n");
}

} // namespace
} // namespace moesim::calibration
