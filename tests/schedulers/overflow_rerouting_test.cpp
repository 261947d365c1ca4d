#include "schedulers/overflow_rerouting.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

using ::testing::ElementsAre;

std::vector<std::int64_t> reroute(std::vector<std::int64_t> copies, std::int64_t capacity, std::int64_t tokens) {
  return reroute_overflow(copies, capacity, tokens);
}

TEST(OverflowRerouting, FillsTheEmptiestExpertsFirst) {
  EXPECT_THAT(reroute({10, 0, 3, 1}, 6, 100), ElementsAre(6, 3, 3, 2)); // 4 to spare: up to level 2, and one more
  EXPECT_THAT(reroute({4, 4, 4, 4}, 6, 100), ElementsAre(4, 4, 4, 4));
}

TEST(OverflowRerouting, KeepsWhatFindsNoRoom) {
  EXPECT_THAT(reroute({9, 8, 1}, 5, 100), ElementsAre(5, 8, 5));
  EXPECT_THAT(reroute({9}, 5, 100), ElementsAre(9)); // one expert
  EXPECT_THAT(reroute({0, 0}, 5, 0), ElementsAre(0, 0));
}

TEST(OverflowRerouting, SendsNoTokenTwiceToAnExpert) {
  EXPECT_THAT(reroute({3, 3, 0, 0}, 2, 3), ElementsAre(2, 2, 1, 1));
  EXPECT_THAT(reroute({8, 0, 0, 0}, 1, 8), ElementsAre(5, 1, 1, 1));
}

TEST(OverflowRerouting, ConservesCopies) {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    const auto tokens = static_cast<std::int64_t>(random() % 60);
    const auto capacity = static_cast<std::int64_t>(random() % 40);
    std::vector<std::int64_t> copies;
    for (std::uint64_t expert = 0; expert < 1 + random() % 12; ++expert)
      copies.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(tokens + 1)));
    const std::vector<std::int64_t> after = reroute(copies, capacity, tokens);
    ASSERT_EQ(std::accumulate(after.begin(), after.end(), std::int64_t{0}),
              std::accumulate(copies.begin(), copies.end(), std::int64_t{0}));
    ASSERT_LE(std::ranges::max(after), std::ranges::max(copies));
    const bool overflows = std::ranges::max(after) > capacity;
    for (std::size_t expert = 0; expert < copies.size(); ++expert) {
      ASSERT_LE(after[expert], std::max(copies[expert], std::min(capacity, tokens)));
      ASSERT_GE(after[expert], std::min(copies[expert], capacity));
      ASSERT_TRUE(!overflows || after[expert] >= std::min(capacity, tokens)); // all are full before any is above
    }
  }
}

} // namespace
} // namespace moesim::schedulers
