#include "analysis/time_budget.hpp"

#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::sample_record;
using ::testing::ElementsAre;

TEST(TimeBudget, SplitsEveryMomentOfARank) {
  const TimeBudget budget = time_budgets(record_of({0}, {{0, "pp-recv-prev", "forward", 1, 2},
                                                         {0, "compute", "forward", 3, 5},
                                                         {0, "tp", "forward", 5, 6},
                                                         {0, "compute", "backward", 8, 10},
                                                         {0, "dp", "gradients", 9, 14},
                                                         {0, "compute", "optimizer", 14, 15},
                                                         {0, "dp", "parameters", 18, 20}}))
                                .ranks[0];
  EXPECT_DOUBLE_EQ(budget.makespan, 20);
  EXPECT_DOUBLE_EQ(budget.compute, 5);                        // 3-5, 8-10, 14-15
  EXPECT_THAT(budget.exposed, ElementsAre(1, 0, 0, 6, 1));    // dp: 10-14 and 18-20; what compute hides does not count
  EXPECT_DOUBLE_EQ(budget.bubble(BubbleCause::WarmUp), 2);    // 0-1, 2-3
  EXPECT_DOUBLE_EQ(budget.bubble(BubbleCause::Neighbour), 2); // 6-8
  EXPECT_DOUBLE_EQ(budget.bubble(BubbleCause::OptimizerTail), 3); // 15-18
  EXPECT_DOUBLE_EQ(budget.bubble(), 7);
}

// A rank that waits for its neighbours while gradients are reduced beside would wait as long without them.
TEST(TimeBudget, DataParallelTrafficCountsOnlyWhereItIsWaitedFor) {
  const TimeBudget budget = time_budgets(record_of({0}, {{0, "dp", "parameters", 0, 2},
                                                         {0, "compute", "forward", 3, 5},
                                                         {0, "dp", "parameters", 3, 6},
                                                         {0, "dp", "parameters", 6, 7},
                                                         {0, "compute", "forward", 7, 8},
                                                         {0, "dp", "gradients", 8, 10},
                                                         {0, "compute", "backward", 11, 12}}))
                                .ranks[0];
  EXPECT_THAT(budget.exposed,
              ElementsAre(0, 0, 0, 2, 0)); // 5-7: the second forward starts when its parameters are there
  EXPECT_DOUBLE_EQ(budget.bubble(BubbleCause::WarmUp), 3);    // 0-3
  EXPECT_DOUBLE_EQ(budget.bubble(BubbleCause::Neighbour), 3); // 8-11
}

// With ZeRO-2, a layer's backward starts when the gradients of the layer before are reduced; the first thing that it
// does may be to communicate.
TEST(TimeBudget, DataParallelTrafficIsWaitedForByCommunicationToo) {
  const TimeBudget budget = time_budgets(record_of({0}, {{0, "compute", "backward", 0, 1},
                                                         {0, "dp", "gradients", 1, 4},
                                                         {0, "tp", "backward", 4, 5},
                                                         {0, "compute", "backward", 5, 6}}))
                                .ranks[0];
  EXPECT_THAT(budget.exposed, ElementsAre(1, 0, 0, 3, 0));
  EXPECT_DOUBLE_EQ(budget.bubble(), 0);
}

TEST(TimeBudget, BlamesTheFirstOfSeveralDimensions) {
  const TimeBudget budget = time_budgets(record_of({0}, {{0, "compute", "forward", 0, 1},
                                                         {0, "pp-send-next", "forward", 1, 10},
                                                         {0, "ep", "forward", 2, 6},
                                                         {0, "tp", "forward", 3, 4},
                                                         {0, "compute", "backward", 5, 7}}))
                                .ranks[0];
  EXPECT_DOUBLE_EQ(budget.compute, 3);
  EXPECT_THAT(budget.exposed, ElementsAre(1, 0, 2, 0, 4)); // tp 3-4; ep 2-3, 4-5; pp 1-2, 7-10
  EXPECT_DOUBLE_EQ(budget.bubble(), 0);
}

TEST(TimeBudget, CountsOverlappingRowsOfAStreamOnce) {
  const TimeBudget budget = time_budgets(record_of({0}, {{0, "compute", "forward", 0, 4},
                                                         {0, "compute", "forward", 1, 2},
                                                         {0, "tp", "forward", 3, 5}}))
                                .ranks[0];
  EXPECT_DOUBLE_EQ(budget.compute, 4);
  EXPECT_DOUBLE_EQ(budget.exposed_communication(), 1);
}

TEST(TimeBudget, ARankWithoutTasksOnlyWaits) {
  const TimeBudgets budgets = time_budgets(record_of({0, 0}, {{0, "compute", "forward", 0, 4}}));
  EXPECT_DOUBLE_EQ(budgets.ranks[1].bubble(), 4);
  EXPECT_DOUBLE_EQ(budgets.mean.compute, 2);
}

TEST(TimeBudget, MeansCountEveryRankOfAStageFoldedOrNot) {
  record::RunRecord run =
      record_of({0, 0, 0, 1},
                {{0, "compute", "forward", 0, 4}, {2, "compute", "forward", 0, 1}, {3, "compute", "forward", 0, 8}});
  run.ranks.representative[1] = 0;
  const TimeBudgets budgets = time_budgets(run);
  EXPECT_DOUBLE_EQ(budgets.stages[0].compute, 3); // (4 + 4 + 1) / 3
  EXPECT_DOUBLE_EQ(budgets.stages[1].compute, 8);
  EXPECT_DOUBLE_EQ(budgets.mean.compute, 4.25);
}

TEST(TimeBudget, PartsAddUpToTheMakespan) {
  const TimeBudgets budgets = time_budgets(sample_record({.stages = 5, .micro_batches = 13, .folded = false}));
  for (const TimeBudget& budget : budgets.ranks) {
    EXPECT_NEAR(budget.compute + budget.exposed_communication() + budget.bubble(), budget.makespan,
                1e-12 * budget.makespan);
    EXPECT_GT(budget.exposed[2], 0);
  }
  EXPECT_GT(budgets.stages[4].bubble(BubbleCause::WarmUp), budgets.stages[1].bubble(BubbleCause::WarmUp));
  EXPECT_EQ(budgets.stages[0].bubble(BubbleCause::WarmUp), 0);
}

TEST(TimeBudget, AnEmptyRunHasNoBudget) {
  EXPECT_EQ(time_budgets({}).mean.makespan, 0);
}

} // namespace
} // namespace moesim::analysis
