#include "schedulers/expert_placement.hpp"

#include <gmock/gmock.h>

#include "schedulers/replica_split.hpp"

namespace moesim::schedulers {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ExpertPlacement, ContiguousKeepsRunsTogether) {
  const ExpertPlacement placement = contiguous_placement({.experts = 6, .ranks = 3});
  EXPECT_THAT(placement.experts_of(0), ElementsAre(0, 1));
  EXPECT_THAT(placement.experts_of(2), ElementsAre(4, 5));
  EXPECT_THAT(problems(placement), IsEmpty());
}

TEST(ExpertPlacement, ContiguousRepeatsTheFirstExpertsAsRedundantOnes) {
  const ExpertPlacement placement = contiguous_placement({.experts = 6, .redundant = 2, .ranks = 4});
  EXPECT_THAT(placement.expert_of_slot, ElementsAre(0, 1, 2, 3, 4, 5, 0, 1));
  EXPECT_THAT(placement.replicas(), ElementsAre(2, 2, 1, 1, 1, 1));
}

TEST(ExpertPlacement, RoundRobinDealsExpertsOut) {
  const ExpertPlacement placement = round_robin_placement({.experts = 6, .ranks = 3});
  EXPECT_THAT(placement.experts_of(0), ElementsAre(0, 3));
  EXPECT_THAT(placement.experts_of(1), ElementsAre(1, 4));
  EXPECT_THAT(placement.experts_of(2), ElementsAre(2, 5));
}

TEST(ExpertPlacement, HoldsWithOneRankOrOneExpert) {
  EXPECT_THAT(contiguous_placement({.experts = 4, .ranks = 1}).experts_of(0), ElementsAre(0, 1, 2, 3));
  const ExpertPlacement one = contiguous_placement({.experts = 1, .redundant = 3, .ranks = 4});
  EXPECT_THAT(one.expert_of_slot, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(rank_loads(one, std::vector{8.0}), ElementsAre(2, 2, 2, 2));
}

TEST(ExpertPlacement, RefusesWhatCannotBeAndSaysWhatCould) {
  EXPECT_THAT(refusal({.experts = 8, .redundant = 8, .ranks = 16, .nodes = 2, .groups = 4}), IsEmpty());
  EXPECT_THAT(refusal({.experts = 8, .redundant = 3, .ranks = 4}), HasSubstr("use 0 or 4 redundant"));
  EXPECT_THAT(refusal({.experts = 8, .redundant = 0, .ranks = 16}), HasSubstr("use 8 redundant"));
  EXPECT_THAT(refusal({.experts = 2, .redundant = 4, .ranks = 2}), HasSubstr("at most 2 redundant"));
  EXPECT_THAT(refusal({.experts = 8, .ranks = 8, .nodes = 3}), HasSubstr("8 ranks"));
  EXPECT_THAT(refusal({.experts = 8, .ranks = 8, .groups = 3}), HasSubstr("3 groups"));
  EXPECT_THAT(refusal({.experts = 8, .redundant = -1, .ranks = 8}), HasSubstr("at least 0"));
}

TEST(ExpertPlacement, ListsAllThatIsWrong) {
  EXPECT_THAT(problems({.ranks = 2, .experts = 3, .expert_of_slot = {0, 5, 0}}),
              ElementsAre(HasSubstr("3 slots"), HasSubstr("slot 1 holds expert 5"), HasSubstr("expert 1 has no slot"),
                          HasSubstr("expert 2 has no slot")));
  EXPECT_THAT(problems({.ranks = 0, .experts = 1, .expert_of_slot = {}}), ElementsAre(HasSubstr("at least 1 rank")));
}

TEST(ExpertPlacement, LoadsOfReplicasAddUp) {
  const ExpertPlacement placement{.ranks = 2, .experts = 3, .expert_of_slot = {0, 1, 0, 2}};
  EXPECT_THAT(rank_loads(placement, std::vector{10.0, 3.0, 5.0}), ElementsAre(DoubleEq(8), DoubleEq(10)));
  EXPECT_DOUBLE_EQ(max_rank_load(placement, std::vector{10.0, 3.0, 5.0}), 10);
}

TEST(ReplicaSplit, SharesEvenlyAndConservesTokens) {
  const ExpertPlacement placement{.ranks = 4, .experts = 2, .expert_of_slot = {0, 0, 0, 1}};
  std::vector<std::int64_t> sum(4);
  for (std::int64_t source = 0; source < 3; ++source) {
    const std::vector<std::int64_t> tokens = split_over_replicas(std::vector<std::int64_t>{7, 4}, placement, source);
    EXPECT_EQ(tokens[0] + tokens[1] + tokens[2], 7);
    EXPECT_EQ(tokens[3], 4);
    for (std::size_t slot = 0; slot < 4; ++slot)
      sum[slot] += tokens[slot];
  }
  EXPECT_THAT(sum, ElementsAre(7, 7, 7, 12)); // three sources, three replicas: equal to the token
}

} // namespace
} // namespace moesim::schedulers
