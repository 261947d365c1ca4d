#include "simulator/sweep/chunks.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

namespace moesim::sweep {
namespace {

using ::testing::ElementsAre;

std::vector<Seconds> seconds(std::initializer_list<double> values) {
  std::vector<Seconds> result;
  for (const double value : values)
    result.emplace_back(value);
  return result;
}

TEST(Chunks, BalanceCosts) {
  const std::vector<std::size_t> points{10, 11, 12, 13, 14};
  // 7 and 6 first; then 5 to the 6, 4 to the 7, 3 to either.
  EXPECT_THAT(chunks_of(points, seconds({3, 7, 5, 4, 6}), 2),
              ElementsAre(ElementsAre(10, 11, 13), ElementsAre(12, 14)));
  EXPECT_THAT(chunks_of(points, seconds({1, 1, 1, 1, 1}), 9).size(), 5U) << "no chunk is empty";
}

TEST(Chunks, HaveEveryPointOnceAndKeepGrahamsBound) {
  std::mt19937 random(5);
  for (std::size_t count = 1; count < 9; ++count) {
    std::vector<std::size_t> points(100);
    std::iota(points.begin(), points.end(), 1000U);
    std::vector<Seconds> costs;
    for (std::size_t i = 0; i < points.size(); ++i)
      costs.emplace_back(1 + static_cast<double>(random() % 100));
    const auto chunks = chunks_of(points, costs, count);
    std::vector<std::size_t> all;
    double largest = 0;
    double total = 0;
    for (const auto& chunk : chunks) {
      double sum = 0;
      for (const std::size_t point : chunk)
        sum += costs[point - 1000].value();
      largest = std::max(largest, sum);
      total += sum;
      EXPECT_TRUE(std::ranges::is_sorted(chunk));
      all.insert(all.end(), chunk.begin(), chunk.end());
    }
    std::ranges::sort(all);
    EXPECT_EQ(all, points);
    // The best largest chunk has at least the mean and the most expensive point.
    const double best = std::max(total / static_cast<double>(count), std::ranges::max(costs).value());
    EXPECT_LE(largest, best * 4 / 3);
  }
}

TEST(Chunks, ATaskIsWorthAMinute) {
  EXPECT_EQ(task_count(Seconds(10), 1, 1000, 256), 1U);
  EXPECT_EQ(task_count(Seconds(600), 1, 1000, 256), 10U);
  EXPECT_EQ(task_count(Seconds(600), 4, 1000, 256), 3U);
  EXPECT_EQ(task_count(Seconds(600), 1, 4, 256), 4U) << "at most one for each point";
  EXPECT_EQ(task_count(Seconds(1e9), 1, 1000, 256), 256U);
}

} // namespace
} // namespace moesim::sweep
