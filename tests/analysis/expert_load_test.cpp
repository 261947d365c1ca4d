#include "analysis/expert_load.hpp"

#include <gmock/gmock.h>

#include "tests/analysis/record_builder.hpp"

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::Row;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Two ranks that share experts, with these FLOPs in the order of the rows.
record::RunRecord pair_of_ranks(const std::vector<Row>& rows, const std::vector<double>& flops) {
  record::RunRecord run = record_of({0, 0}, rows);
  run.ranks.ep = {0, 1};
  run.tasks.flops = flops;
  return run;
}

TEST(ExpertLoad, IsRelativeToItsLayer) {
  record::ExpertLoad load;
  load.layers = {3, 4, 5};
  load.experts = 2;
  load.tokens = {30, 10, 5, 5, 0, 0};
  EXPECT_THAT(relative_loads(load), ElementsAre(1.5, 0.5, 1, 1, 0, 0));
}

TEST(ExpertLoad, StepsAreThoseOfExpertsAndJoinTheirKernels) {
  const ExpertGroup group = least_even_group(pair_of_ranks({{.rank = 0, .start = 0, .end = 1, .name = "attention"},
                                                            {.rank = 0, .start = 1, .end = 2, .name = "experts"},
                                                            {.rank = 0, .start = 2, .end = 4, .name = "experts"},
                                                            {.rank = 1, .start = 1, .end = 2, .name = "experts"}},
                                                           {9, 4, 2, 2}));
  EXPECT_THAT(group.ranks, ElementsAre(0, 1));
  ASSERT_THAT(group.steps, ElementsAre(SizeIs(1), SizeIs(1)));
  EXPECT_EQ(group.steps[0][0].start, 1);
  EXPECT_EQ(group.steps[0][0].end, 4);
  EXPECT_DOUBLE_EQ(group.steps[0][0].load, 1.5); // 6 of 6 and 2
  EXPECT_DOUBLE_EQ(group.steps[1][0].load, 0.5);
  EXPECT_DOUBLE_EQ(group.max_over_mean, 1.5);
}

// Decode steps come back to the same micro-batch and layer; each is a step of its own.
TEST(ExpertLoad, TellsRepeatedStepsApart) {
  const Row first{.start = 0, .end = 1, .micro_batch = 0, .name = "experts"};
  const Row between{.start = 1, .end = 2, .micro_batch = 1, .name = "experts"};
  const Row again{.start = 2, .end = 3, .micro_batch = 0, .name = "experts"};
  std::vector<Row> rows{first, between, again};
  for (Row row : {first, between, again}) {
    row.rank = 1;
    rows.push_back(row);
  }
  const ExpertGroup group = least_even_group(pair_of_ranks(rows, {1, 1, 3, 1, 1, 1}));
  ASSERT_THAT(group.steps[0], SizeIs(3));
  EXPECT_DOUBLE_EQ(group.steps[0][0].load, 1);
  EXPECT_DOUBLE_EQ(group.steps[0][2].load, 1.5);
}

TEST(ExpertLoad, PicksTheGroupThatIsLeastEven) {
  record::RunRecord run = record_of({0, 0, 1, 1}, {{.rank = 0, .start = 0, .end = 1, .name = "experts"},
                                                   {.rank = 1, .start = 0, .end = 1, .name = "experts"},
                                                   {.rank = 2, .start = 0, .end = 1, .name = "experts"},
                                                   {.rank = 3, .start = 0, .end = 1, .name = "experts"}});
  run.ranks.ep = {0, 1, 1, 0};
  run.tasks.flops = {1, 1, 3, 1};
  EXPECT_THAT(least_even_group(run).ranks, ElementsAre(3, 2)); // in the order of ep
  run.tasks.flops = {1, 1, 1, 1};
  EXPECT_THAT(least_even_group(run).ranks, ElementsAre(0, 1));
}

TEST(ExpertLoad, IsEmptyWithoutExperts) {
  const ExpertGroup group = least_even_group(record_of({0}, {{.end = 1}}));
  EXPECT_THAT(group.ranks, IsEmpty());
}

} // namespace
} // namespace moesim::analysis
