#include "simulator/calibration/least_squares.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace moesim::calibration {
namespace {

// y = a + b x, of quantities a million times apart.
TEST(LeastSquares, FindsWhatMadeTheValues) {
  const auto line = [](const std::vector<double>& values) {
    std::vector<double> residuals;
    for (const double x : {1.0, 1e2, 1e4, 1e6})
      residuals.push_back(std::log((values[0] + values[1] * x) / (2e-6 + 5e-12 * x)));
    return residuals;
  };
  const Fit fit = least_squares(line, {1e-4, 1e-10});
  EXPECT_NEAR(fit.parameters[0], 2e-6, 1e-12);
  EXPECT_NEAR(fit.parameters[1], 5e-12, 1e-18);
  EXPECT_NEAR(fit.sum_of_squares, 0, 1e-12);
}

// Three values around two: the mean of their logarithms is best.
TEST(LeastSquares, SettlesBetweenValuesThatDisagree) {
  const auto level = [](const std::vector<double>& values) {
    return std::vector<double>{std::log(values[0] / 1), std::log(values[0] / 2), std::log(values[0] / 4)};
  };
  const Fit fit = least_squares(level, {100});
  EXPECT_NEAR(fit.parameters[0], 2, 1e-6);
  EXPECT_NEAR(fit.sum_of_squares, 2 * std::pow(std::log(2.0), 2), 1e-9);
}

TEST(LeastSquares, AParameterWithoutEffectStaysWhereItWas) {
  const auto residuals = [](const std::vector<double>& values) { return std::vector<double>{std::log(values[0])}; };
  const Fit fit = least_squares(residuals, {3, 7});
  EXPECT_NEAR(fit.parameters[0], 1, 1e-6);
  EXPECT_NEAR(fit.parameters[1], 7, 1e-6);
}

} // namespace
} // namespace moesim::calibration
