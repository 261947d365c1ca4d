#include "schedulers/work_stealing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr PlacementShape four_ranks{.experts = 8, .ranks = 4};

TEST(WorkStealing, LeavesBalancedRanksAlone) {
  const ExpertPlacement placement = contiguous_placement(four_ranks);
  EXPECT_THAT(stealing_plan(placement, std::vector<std::int64_t>(8, 10), {}), IsEmpty());
  EXPECT_THAT(stealing_plan(placement, std::vector<std::int64_t>(8, 0), {}), IsEmpty());
  // 21 over a mean of 20.25 is within a tenth.
  EXPECT_THAT(stealing_plan(placement, std::vector<std::int64_t>{11, 10, 10, 10, 10, 10, 10, 10}, {}), IsEmpty());
}

TEST(WorkStealing, BringsTheMostLoadedToTheMean) {
  const ExpertPlacement placement = contiguous_placement(four_ranks);
  const std::vector<std::int64_t> tokens{50, 10, 10, 10, 10, 10, 5, 15}; // ranks have 60, 20, 20, 20: the mean is 30
  const std::vector<StolenTokens> plan = stealing_plan(placement, tokens, {});
  EXPECT_THAT(plan,
              ElementsAre(StolenTokens{0, 1, 10, true}, StolenTokens{0, 2, 10, true}, StolenTokens{0, 3, 10, true}));
  EXPECT_THAT(rank_tokens_after(placement, tokens, plan), ElementsAre(30, 30, 30, 30));
}

TEST(WorkStealing, SendsWeightsOnceAndOnlyWhereThereAreNone) {
  // Both slots of rank 0 and one of rank 1 hold expert 0.
  const ExpertPlacement placement{.ranks = 3, .experts = 3, .expert_of_slot = {0, 0, 0, 1, 1, 2}};
  const std::vector<std::int64_t> tokens{30, 30, 0, 0, 0, 0};
  const std::vector<StolenTokens> plan = stealing_plan(placement, tokens, {.threshold = 1});
  EXPECT_THAT(rank_tokens_after(placement, tokens, plan), ElementsAre(20, 20, 20));
  EXPECT_THAT(plan, ElementsAre(StolenTokens{0, 1, 20, false}, StolenTokens{1, 2, 20, true}));
}

TEST(WorkStealing, HoldsForOneRank) {
  const ExpertPlacement placement = contiguous_placement({.experts = 2, .ranks = 1});
  EXPECT_THAT(stealing_plan(placement, std::vector<std::int64_t>{9, 1}, {.threshold = 1}), IsEmpty());
}

TEST(WorkStealing, NeverOverloadsAndAlwaysConserves) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 500; ++trial) {
    const auto ranks = static_cast<std::int64_t>(1 + random() % 8);
    const ExpertPlacement placement =
        contiguous_placement({.experts = ranks * static_cast<std::int64_t>(1 + random() % 4), .ranks = ranks});
    std::vector<std::int64_t> tokens;
    for (std::int64_t slot = 0; slot < placement.slots(); ++slot)
      tokens.push_back(static_cast<std::int64_t>(random() % 3 == 0 ? random() % 1000 : random() % 10));
    const double threshold = 1 + 0.1 * static_cast<double>(random() % 5);
    const std::vector<StolenTokens> plan = stealing_plan(placement, tokens, {.threshold = threshold});

    std::vector<std::int64_t> left = tokens;
    for (const StolenTokens& stolen : plan) {
      ASSERT_GT(stolen.tokens, 0);
      ASSERT_GE(left[static_cast<std::size_t>(stolen.from_slot)] -= stolen.tokens, 0);
    }
    const std::int64_t total = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});
    const std::vector<std::int64_t> before = rank_tokens_after(placement, tokens, {});
    const std::vector<std::int64_t> after = rank_tokens_after(placement, tokens, plan);
    ASSERT_EQ(std::accumulate(after.begin(), after.end(), std::int64_t{0}), total);
    ASSERT_LE(std::ranges::max(after), std::ranges::max(before));
    const double mean = static_cast<double>(total) / static_cast<double>(ranks);
    ASSERT_LE(static_cast<double>(std::ranges::max(after)), std::max(threshold * mean, std::ceil(mean)) + 1e-9);
  }
}

} // namespace
} // namespace moesim::schedulers
