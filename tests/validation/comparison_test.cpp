// The arithmetic of figures, by hand.
#include <gtest/gtest.h>

#include "simulator/validation/comparison.hpp"

namespace moesim::validation {
namespace {

Comparison comparison(double predicted, double measured, const std::string& quantity = "tokens") {
  Comparison result;
  result.measurement.quantity = quantity;
  result.measurement.value = measured;
  result.prediction.value = predicted;
  return result;
}

TEST(Comparison, ErrorIsRelativeToTheMeasurement) {
  EXPECT_NEAR(comparison(11, 10).error(), 0.1, 1e-12);
  EXPECT_NEAR(comparison(8, 10).error(), -0.2, 1e-12);
}

TEST(Comparison, FiguresOfFourErrors) {
  const std::vector<double> errors{0.1, -0.2, 0.4, -0.05};
  const Figures of = *figures(errors);
  EXPECT_EQ(of.count, 4U);
  EXPECT_NEAR(of.mean_absolute_error, 0.75 / 4, 1e-15);
  EXPECT_NEAR(of.median_absolute_error, 0.15, 1e-15);
  EXPECT_NEAR(of.bias, 0.25 / 4, 1e-15);
  EXPECT_NEAR(of.within_10, 0.5, 1e-15); // 0.1 is within
  EXPECT_NEAR(of.within_20, 0.75, 1e-15);
  EXPECT_NEAR(figures(std::vector{-0.3})->median_absolute_error, 0.3, 1e-15);
  EXPECT_FALSE(figures({}).has_value());
}

Comparison layout(double predicted, double measured, double work, const std::string& of) {
  Comparison result = comparison(predicted, measured);
  result.measurement.work = work;
  result.measurement.comparable = of;
  return result;
}

// Times of steps with 100, 100 and 200 tokens: 10, 5 and 10 s are 10, 20 and 20 tokens/s. The first two differ, and so
// do the first and the third; both are predicted right or wrong by what is predicted of them. "b" is by itself.
TEST(Comparison, RankingComparesRatesOfTheSameModelAndGpus) {
  const std::vector<Comparison> layouts{layout(9, 10, 100, "a"), layout(8, 5, 100, "a"), layout(20, 10, 200, "a"),
                                        layout(1, 1, 100, "b"), layout(1, 2, 100, "")};
  const Ranking of = ranking(layouts); // predicted: 11.1, 12.5 and 10 tokens/s
  EXPECT_EQ(of.pairs, 2U);
  EXPECT_EQ(of.right, 1U);
}

Comparison efficient(double predicted, double measured, double efficiency, const std::string& gpu) {
  Comparison result = comparison(predicted, measured);
  result.prediction.efficiency = efficiency;
  result.measurement.labels.hardware = gpu;
  return result;
}

// Rates of 40, 50 and 100 at a predicted 0.5 for 50 are efficiencies of 0.4, 0.5 and 1. With 0.4 errors are 0, 1/5 and
// 3/5 (sum 0.8), with 0.5 they are 1/4, 0 and 1/2 (0.75), with 1 they are 3/2, 1 and 0 (2.5). One GPU by itself is
// exact.
TEST(Comparison, FlatEfficiencyIsTheBestOfEachGpuType) {
  const std::vector<Comparison> rates{efficient(50, 40, 0.5, "A"), efficient(50, 50, 0.5, "A"),
                                      efficient(50, 100, 0.5, "A"), efficient(7, 9, 0.3, "B")};
  const Figures flat = *flat_efficiency(rates);
  EXPECT_EQ(flat.count, 4U);
  EXPECT_NEAR(flat.mean_absolute_error, 0.75 / 4, 1e-12);
  EXPECT_FALSE(flat_efficiency(std::vector{comparison(1, 2)}).has_value());
}

// Of times the errors are of times: efficiencies 0.5 and 0.25, and with 0.25 the first takes twice as long.
TEST(Comparison, FlatEfficiencyOfTimesPredictsTimes) {
  std::vector<Comparison> times{efficient(10, 10, 0.5, "A"), efficient(10, 20, 0.5, "A")};
  for (Comparison& of : times)
    of.measurement.work = 100;
  EXPECT_NEAR(flat_efficiency(times)->mean_absolute_error, 0.25, 1e-12); // with 0.5: 0 and -1/2
}

TEST(Comparison, SummaryKeepsMemoryApart) {
  FileReport report;
  report.comparisons = {comparison(11, 10), comparison(5, 10, std::string(memory_quantity)), comparison(13, 10)};
  report.comparisons[0].measurement.labels.hardware = "H100";
  const Summary summary = summarize(report);
  EXPECT_EQ(summary.all->count, 2U);
  EXPECT_NEAR(summary.all->mean_absolute_error, 0.2, 1e-12);
  EXPECT_NEAR(summary.memory->mean_absolute_error, 0.5, 1e-12);
  EXPECT_NEAR(summary.groups.at("hardware").at("H100").bias, 0.1, 1e-12);
  ASSERT_EQ(summary.worst.size(), 2U);
  EXPECT_EQ(summary.worst[0].prediction.value, 13);
}

} // namespace
} // namespace moesim::validation
