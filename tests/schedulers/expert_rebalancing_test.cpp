#include "schedulers/expert_rebalancing.hpp"

#include <random>

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const PlacementShape two_ranks{.experts = 4, .ranks = 2};

// Experts 0 and 1, which a contiguous placement has on one rank, are heavy in even iterations; 0 and 2 in odd ones.
std::vector<double> alternating(std::int64_t iteration) {
  return iteration % 2 == 0 ? std::vector{10.0, 10.0, 1.0, 1.0} : std::vector{10.0, 1.0, 10.0, 1.0};
}

TEST(ExpertRebalancing, SendsWhatARankDoesNotHave) {
  const ExpertPlacement before{.ranks = 2, .experts = 4, .expert_of_slot = {0, 1, 2, 3}};
  const ExpertPlacement swapped{.ranks = 2, .experts = 4, .expert_of_slot = {1, 0, 3, 2}};
  const ExpertPlacement after{.ranks = 2, .experts = 4, .expert_of_slot = {2, 1, 0, 3}};
  EXPECT_THAT(expert_moves(before, before, 1), IsEmpty());
  EXPECT_THAT(expert_moves(before, swapped, 1), IsEmpty()); // within ranks
  EXPECT_THAT(expert_moves(before, after, 1), ElementsAre(ExpertMove{2, 1, 0}, ExpertMove{0, 0, 1}));
}

TEST(ExpertRebalancing, SendsFromTheSameNodeThenFromWhoSendsLeast) {
  const ExpertPlacement before{.ranks = 4, .experts = 3, .expert_of_slot = {0, 0, 0, 1, 1, 2, 2, 2}};
  const ExpertPlacement after{.ranks = 4, .experts = 3, .expert_of_slot = {1, 2, 0, 1, 1, 2, 1, 0}};
  // Expert 1 comes to rank 0 from its neighbour, expert 2 from the other node; expert 0 to rank 3 from a rank of the
  // other node that has sent nothing yet.
  EXPECT_THAT(expert_moves(before, after, 2),
              ElementsAre(ExpertMove{1, 1, 0}, ExpertMove{2, 2, 0}, ExpertMove{0, 0, 3}, ExpertMove{1, 2, 3}));
}

TEST(ExpertRebalancing, PlansByTheIterationBefore) {
  const RebalancingPlan first = rebalancing_plan(contiguous_placement(two_ranks), two_ranks, {}, alternating, 1);
  EXPECT_EQ(first.before, contiguous_placement(two_ranks));
  EXPECT_DOUBLE_EQ(max_rank_load(first.after, alternating(0)), 11); // good for the iteration that was
  EXPECT_THAT(first.moves, SizeIs(2));
  EXPECT_THAT(rebalancing_plan(contiguous_placement(two_ranks), two_ranks, {}, alternating, 0).moves,
              IsEmpty()); // nothing has been seen
}

TEST(ExpertRebalancing, KeepsPlacementsForAnInterval) {
  const RebalancingOptions options{.interval = 3};
  const ExpertPlacement placed =
      rebalancing_plan(contiguous_placement(two_ranks), two_ranks, options, alternating, 1).after;
  for (const std::int64_t iteration : {2, 3}) {
    const RebalancingPlan plan =
        rebalancing_plan(contiguous_placement(two_ranks), two_ranks, options, alternating, iteration);
    EXPECT_EQ(plan.before, placed);
    EXPECT_EQ(plan.after, placed);
    EXPECT_THAT(plan.moves, IsEmpty());
  }
  const RebalancingPlan next = rebalancing_plan(contiguous_placement(two_ranks), two_ranks, options, alternating,
                                                4); // by iteration 3, an odd one
  EXPECT_EQ(next.before, placed);
  EXPECT_DOUBLE_EQ(max_rank_load(next.after, alternating(3)), 11);
}

// Expert 0 had 100 tokens once, in iteration 0: its average is 100 (1 - f)^i after iteration i. Expert 1 has 20 always.
// The third slot is of the heavier one.
TEST(ExpertRebalancing, PredictsByAnExponentialAverage) {
  const auto loads = [](std::int64_t iteration) { return std::vector{iteration == 0 ? 100.0 : 0.0, 20.0}; };
  const auto replicas_of_0 = [&](double smoothing, std::int64_t iteration) {
    const RebalancingOptions options{.forecast = LoadForecast::Predicted, .smoothing = smoothing};
    const PlacementShape shape{.experts = 2, .redundant = 1, .ranks = 3};
    return rebalancing_plan(contiguous_placement(shape), shape, options, loads, iteration).after.replicas()[0];
  };
  EXPECT_EQ(replicas_of_0(0.5, 3), 2); // 25
  EXPECT_EQ(replicas_of_0(0.5, 4), 1); // 12.5
  EXPECT_EQ(replicas_of_0(0.7, 2), 2); // 30
  EXPECT_EQ(replicas_of_0(0.7, 3), 1); // 9
  EXPECT_EQ(replicas_of_0(1, 2), 1);   // what was observed last
}

TEST(ExpertRebalancing, StartsFromWhatItIsGiven) {
  const ExpertPlacement initial = round_robin_placement(two_ranks);
  ASSERT_NE(initial, contiguous_placement(two_ranks));
  const auto even = [](std::int64_t) { return std::vector{5.0, 5.0, 5.0, 5.0}; };
  for (const std::int64_t iteration : {0, 1, 5})
    EXPECT_EQ(rebalancing_plan(initial, two_ranks, {}, even, iteration).after, initial);
}

TEST(ExpertRebalancing, KeepsWhatIsGoodEnough) {
  const ExpertPlacement current{.ranks = 2, .experts = 4, .expert_of_slot = {3, 0, 2, 1}};
  EXPECT_EQ(rebalanced(current, two_ranks, std::vector{5.0, 5.0, 5.0, 5.0}), current);
}

TEST(ExpertRebalancing, NeverPlansWorseThanContiguous) {
  std::mt19937_64 random(3);
  int worse = 0; // how often EPLB, which is greedy, would have been
  for (int trial = 0; trial < 1000; ++trial) {
    const auto ranks = static_cast<std::int64_t>(2 + random() % 3);
    const PlacementShape shape{.experts = ranks * static_cast<std::int64_t>(2 + random() % 3),
                               .redundant = ranks * static_cast<std::int64_t>(random() % 2),
                               .ranks = ranks};
    std::vector<double> loads;
    for (std::int64_t expert = 0; expert < shape.experts; ++expert)
      loads.push_back(static_cast<double>(random() % 12));
    const ExpertPlacement contiguous = contiguous_placement(shape);
    const double best = max_rank_load(rebalanced(contiguous, shape, loads), loads);
    ASSERT_LE(best, max_rank_load(contiguous, loads));
    const double eplb = max_rank_load(eplb_placement(shape, loads, eplb_policy(shape)), loads);
    ASSERT_LE(best, eplb);
    worse += eplb > max_rank_load(contiguous, loads) + 1e-9 ? 1 : 0;
  }
  EXPECT_GT(worse, 0); // the rule is needed
}

} // namespace
} // namespace moesim::schedulers
