#include "platforms/gemm_curve.hpp"
#include "tests/platforms/gemm_operator.hpp"

#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace moesim::platforms {
namespace {

constexpr FlopsPerSecond peak(1e12);
constexpr std::int64_t processors = 10;
// One shape for all: a tile of 64 x 16 results.
constexpr std::int64_t smallest_tile = 1024;

double seconds(const Operator& op, const GemmCurve& curve) {
  return gemm_time(op, curve, peak, processors).value();
}

TEST(GemmCurve, WithoutTilesItIsAShareOfThePeak) {
  EXPECT_DOUBLE_EQ(seconds(gemm(1, 1, 500), {.max_efficiency = 0.5}), 2 * 500 / 0.5e12);
  EXPECT_DOUBLE_EQ(gemm_time(gemm(1, 1, 500), {}, peak, 0).value(), 1e-9);
}

// Sums that are promoted on the way slow the multiplications of gradients, not those of a forward.
TEST(GemmCurve, BackwardProductsReachAShareOfTheEfficiency) {
  Operator gradient = gemm(64 * 10, 16, 1600);
  gradient.pass = Pass::Backward;
  const GemmCurve whole{.max_efficiency = 0.5, .backward = 0.8};
  const GemmCurve tiles{.max_efficiency = 0.5, .backward = 0.8, .largest_tile = smallest_tile};
  const double forward = 2 * 64 * 10 * 16 * 1600 / 0.5e12;
  for (const GemmCurve& curve : {whole, tiles}) {
    EXPECT_DOUBLE_EQ(seconds(gemm(64 * 10, 16, 1600), curve), forward);
    EXPECT_DOUBLE_EQ(seconds(gradient, curve), forward / 0.8);
  }
}

TEST(GemmCurve, WavesAreWholeOrSpread) {
  const GemmCurve whole{.split_overhead = Seconds(1), .largest_tile = smallest_tile, .whole_waves = true};
  const GemmCurve spread{.largest_tile = smallest_tile};
  const std::int64_t k = 1600;
  const double wave = 10 * 64 * 16 * 2.0 * static_cast<double>(k) / 1e12;
  EXPECT_DOUBLE_EQ(seconds(gemm(64 * 5, 16 * 2, k), whole), wave);
  EXPECT_DOUBLE_EQ(seconds(gemm(64 * 11, 16, k), whole), 2 * wave); // a second wave for one tile
  EXPECT_DOUBLE_EQ(seconds(gemm(64 * 11, 16, k), spread), 1.1 * wave);
  EXPECT_DOUBLE_EQ(seconds(gemm(64 * 11 - 5, 16, k), spread), 1.1 * wave); // a part of a tile counts whole
  EXPECT_DOUBLE_EQ(seconds(gemm(64, 16, k, 10), whole), wave);             // ten experts with one tile each
}

// Four tiles of 16 by 64, one for a processor: 16 rows and 64 columns of a byte, or 64 of half of one. Kernels that
// turn weights into 16 bits feed these to the tensor cores.
TEST(GemmCurve, TilesReadWeightsAsTheyAreStored) {
  const GemmCurve curve{
      .operand_bandwidth = BytesPerSecond(1e9), .split_overhead = Seconds(1), .largest_tile = smallest_tile};
  Operator op = gemm(64, 64, 1600);
  op.precision = Precision::Fp8;
  EXPECT_DOUBLE_EQ(seconds(op, curve), 1600 * (16 + 64) / 1e8);
  op.weight_bytes = 0.5;
  EXPECT_DOUBLE_EQ(seconds(op, curve), 1600 * (16 + 64 * 0.5) / 1e8);
  op.precision = Precision::Bf16;
  EXPECT_DOUBLE_EQ(seconds(op, curve), 1600 * (16 + 64) * 2 / 1e8);
}

Operator grouped(std::vector<std::int64_t> rows, std::int64_t n, std::int64_t k) {
  const std::int64_t all = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  const auto groups = static_cast<std::int64_t>(rows.size());
  Operator op = gemm((all + groups - 1) / groups, n, k, groups);
  op.rows = GroupRows(std::move(rows));
  return op;
}

// Each group has the tiles that its rows take.
TEST(GemmCurve, UnequalGroupsHaveTilesOfTheirOwn) {
  const GemmCurve spread{.largest_tile = smallest_tile};
  const double tile = 64 * 16 * 2.0 * 1600 / 1e11; // of one processor
  EXPECT_DOUBLE_EQ(seconds(grouped({640, 1, 1, 1}, 16, 1600), spread), (10 + 3) * tile / 10);
  EXPECT_DOUBLE_EQ(seconds(grouped({320, 320}, 16, 1600), spread), seconds(gemm(320, 16, 1600, 2), spread));
  // In a weight's gradient the rows are k: as long in all, but nothing is shorter than its longest tile.
  Operator gradient = gemm(64 * 5, 16, 100, 4);
  gradient.gives_weight_gradient = true;
  gradient.rows = GroupRows({160, 80, 80, 80});
  EXPECT_DOUBLE_EQ(seconds(gradient, spread), 5 * (160 + 3 * 80) * tile / 1600 / 10);
  gradient = gemm(64, 16, 1600, 10);
  gradient.gives_weight_gradient = true;
  gradient.rows = GroupRows({8000, 800, 800, 800, 800, 800, 800, 800, 800, 400});
  EXPECT_DOUBLE_EQ(seconds(gradient, {.split_overhead = Seconds(1), .largest_tile = smallest_tile}), 5 * tile);
}

TEST(GroupRows, LeaveOutWhatHasNone) {
  EXPECT_TRUE(GroupRows({3, 0, 3}).are_equal());
  EXPECT_TRUE(GroupRows({0, 0}).are_equal());
  EXPECT_EQ(GroupRows({1, 0, 5}), GroupRows({5, 1}));
  EXPECT_FALSE(GroupRows({1, 5}) == GroupRows({5, 2}));
}

TEST(GemmCurve, TheFasterOfTwoTilesIsTaken) {
  const GemmCurve small{.largest_tile = smallest_tile, .whole_waves = true};
  const GemmCurve large{.largest_tile = 32768, .whole_waves = true};
  // 2,560 x 128 results: twenty tiles of 128 x 128 are two waves, ten of 256 x 128 one; both are exact.
  EXPECT_DOUBLE_EQ(seconds(gemm(2560, 128, 1600), large), seconds(gemm(2560, 128, 1600), small));
  // 64 x 64 with every processor at work: no tile is as good as the smallest.
  EXPECT_LE(seconds(gemm(1000, 100, 1600), large), seconds(gemm(1000, 100, 1600), small));
}

// 64 + 16 elements of two bytes for each of k, by ten processors that share 1 GB/s.
TEST(GemmCurve, OperandsAreWaitedForWhenTheyTakeLonger) {
  const GemmCurve curve{.operand_bandwidth = BytesPerSecond(1e9), .largest_tile = smallest_tile};
  const Operator op = gemm(64 * 10, 16, 160);
  EXPECT_DOUBLE_EQ(seconds(op, curve), 160 * 80 * 2 / 1e8);
  Operator fp8 = op;
  fp8.precision = Precision::Fp8;
  EXPECT_DOUBLE_EQ(seconds(fp8, curve), 160 * 80 / 1e8);
}

// Two bytes a result, after the products: a short k takes longer per FLOP.
TEST(GemmCurve, ResultsAreWrittenAfterTheProducts) {
  const GemmCurve curve{.result_bandwidth = BytesPerSecond(1e9), .largest_tile = smallest_tile};
  const double write = 10 * 64 * 16 * 2 / 1e9;
  const double products = 2.0 * 640 * 16 * 160 / 1e12;
  EXPECT_DOUBLE_EQ(seconds(gemm(640, 16, 160), curve), products + write);
}

// One tile on ten processors: k is split into 2, 4, 8 or 16 parts, if adding them up takes less than that saves.
TEST(GemmCurve, ALongKIsSplitOverIdleMultiprocessors) {
  GemmCurve curve{.split_overhead = Seconds(1e-9), .largest_tile = smallest_tile};
  const Operator op = gemm(64, 16, 160'000);
  const double alone = 160'000 * 2.0 * 1024 / 1e11;
  EXPECT_DOUBLE_EQ(seconds(op, curve), alone * 1.6 / 16 + 1e-9); // sixteen parts over ten processors
  curve.split_overhead = Seconds(1);
  EXPECT_DOUBLE_EQ(seconds(op, curve), alone);
  curve = {.operand_bandwidth = BytesPerSecond(1e9), .split_overhead = Seconds(1e-9), .largest_tile = smallest_tile};
  const double reading = 160'000 * 80 * 2 / 1e8;
  EXPECT_DOUBLE_EQ(seconds(op, curve), reading * 1.6 / 16 + 1e-9 + 16 * 1024 * 8 / 1e9);
}

TEST(GemmCurve, AHigherPeakIsNeverSlower) {
  const GemmCurve curve{.max_efficiency = 0.8,
                        .operand_bandwidth = BytesPerSecond(2e10),
                        .result_bandwidth = BytesPerSecond(1e10),
                        .split_overhead = Seconds(1e-6),
                        .largest_tile = 32768};
  for (const std::int64_t m : {1, 16, 100, 1000, 5000}) {
    double before = 1e9;
    for (const double rate : {1e11, 1e12, 1e13, 1e14}) {
      const double now = gemm_time(gemm(m, 300, 2000), curve, FlopsPerSecond(rate), processors).value();
      EXPECT_LE(now, before) << m;
      before = now;
    }
  }
}

TEST(GemmCurve, MoreWorkNeverTakesLess) {
  for (const bool whole : {false, true}) {
    const GemmCurve curve{.max_efficiency = 0.82,
                          .operand_bandwidth = BytesPerSecond(1.6e10),
                          .result_bandwidth = BytesPerSecond(7e9),
                          .split_overhead = Seconds(3e-6),
                          .largest_tile = 32768,
                          .whole_waves = whole};
    for (const int grown : {0, 1, 2}) {
      double before = 0;
      for (std::int64_t size = 1; size < 20'000; size += 37) {
        const Operator op = grown == 0   ? gemm(size, 500, 2000)
                            : grown == 1 ? gemm(500, size, 2000)
                                         : gemm(100, 100, size);
        const double now = seconds(op, curve);
        EXPECT_GE(now, before * (1 - 1e-12)) << grown << ' ' << size;
        before = now;
      }
    }
  }
}

} // namespace
} // namespace moesim::platforms
