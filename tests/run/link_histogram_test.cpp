#include "simulator/run/link_histogram.hpp"

#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace moesim::run {
namespace {

double sum(const LinkHistogram& histogram, std::size_t link) {
  const auto first = histogram.bytes().begin() + static_cast<std::ptrdiff_t>(link * LinkHistogram::bins);
  return std::accumulate(first, first + LinkHistogram::bins, 0.0);
}

TEST(LinkHistogram, SpreadsAFlowEvenlyOverItsLife) {
  LinkHistogram histogram(1);
  histogram.add(0, Bytes(100), Seconds(0.5e-6), Seconds(3e-6)); // slices of 1 us
  EXPECT_NEAR(histogram.bytes()[0], 20, 1e-9);
  EXPECT_NEAR(histogram.bytes()[1], 40, 1e-9);
  EXPECT_NEAR(histogram.bytes()[2], 40, 1e-9);
  EXPECT_NEAR(histogram.bytes()[3], 0, 1e-9);
}

TEST(LinkHistogram, WidensWithoutLosingAByte) {
  LinkHistogram histogram(2);
  std::mt19937 random(3);
  double total = 0;
  for (int flow = 0; flow < 1000; ++flow) {
    const double start = std::ldexp(static_cast<double>(random() % 1000), -22) * flow;
    const double bytes = static_cast<double>(random() % 100000);
    histogram.add(1, Bytes(bytes), Seconds(start), Seconds(start + std::ldexp(1 + random() % 100, -12)));
    total += bytes;
  }
  EXPECT_NEAR(sum(histogram, 1) / total, 1, 1e-12);
  EXPECT_EQ(sum(histogram, 0), 0);
  EXPECT_GT(histogram.bin_width(), 1e-6);
}

TEST(LinkHistogram, AFlowWithoutDurationCounts) {
  LinkHistogram histogram(1);
  histogram.add(0, Bytes(5), Seconds(1), Seconds(1));
  EXPECT_EQ(sum(histogram, 0), 5);
}

} // namespace
} // namespace moesim::run
