#include "workloads/layout.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using graph::Dimension;
using testing::ElementsAre;

std::vector<std::uint32_t> values(const std::vector<RankId>& ranks) {
  std::vector<std::uint32_t> result;
  for (const RankId rank : ranks)
    result.push_back(rank.value());
  return result;
}

TEST(Layout, TensorRanksAreNeighboursAndStagesAreFarApart) {
  const Layout layout({.tp = 2, .pp = 2, .dp = 4});
  EXPECT_EQ(layout.world_size(), 16u);
  EXPECT_EQ(layout.coordinates(RankId(13)), (Coordinates{.tp = 1, .dp = 2, .edp = 5, .pp = 1}));
  EXPECT_THAT(values(layout.members(Dimension::Tp, layout.group_of(Dimension::Tp, RankId(13)))), ElementsAre(12, 13));
  EXPECT_THAT(values(layout.members(Dimension::Dp, layout.group_of(Dimension::Dp, RankId(13)))),
              ElementsAre(9, 11, 13, 15));
  EXPECT_EQ(layout.rank_of(1, 5), RankId(13));
}

// MoE parallel folding: 8 expert ranks over 2 tensor x 4 data ranks.
TEST(Layout, ExpertGroupsSpanTensorAndDataRanks) {
  const Layout layout({.tp = 2, .pp = 2, .ep = 8, .dp = 4});
  EXPECT_EQ(layout.group_size(Dimension::Ep), 8u);
  EXPECT_EQ(layout.group_size(Dimension::Edp), 1u);
  EXPECT_THAT(values(layout.members(Dimension::Ep, 1)), ElementsAre(8, 9, 10, 11, 12, 13, 14, 15));
}

// The 512-GPU document: DP 4 times EP 16 is not a product; EP 16 lies over TP 8 x 2 data ranks, and 8 copies are left.
TEST(Layout, TheThirtyBillionDocumentFits512Gpus) {
  const ParallelSizes sizes{.tp = 8, .pp = 4, .ep = 16, .dp = 16};
  EXPECT_EQ(sizes.world(), 512);
  EXPECT_EQ(sizes.edp(), 8);
  const Layout layout(sizes);
  EXPECT_THAT(values(layout.members(Dimension::Ep, 0)),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  EXPECT_THAT(values(layout.members(Dimension::Edp, 0)), ElementsAre(0, 16, 32, 48, 64, 80, 96, 112));
}

// Every rank is in exactly one group of each kind, groups are equally large and lie within a stage, and coordinates go
// both ways; over a grid of sizes and orders.
TEST(Layout, GroupsPartitionTheRanks) {
  for (const std::string_view order : {"tp-cp-ep-dp-pp", "dp-tp-cp-ep-pp", "ep-cp-tp-dp-pp"}) {
    for (const ParallelSizes& sizes : {ParallelSizes{}, ParallelSizes{.tp = 4, .pp = 2, .ep = 4, .dp = 3},
                                       ParallelSizes{.tp = 2, .cp = 2, .ep = 8, .dp = 2},
                                       ParallelSizes{.tp = 2, .cp = 3, .pp = 2, .ep = 3, .etp = 2, .dp = 4},
                                       ParallelSizes{.pp = 5, .ep = 6, .dp = 6}}) {
      ASSERT_TRUE(Layout::problems(sizes, order).empty());
      const Layout layout(sizes, order);
      for (std::uint32_t rank = 0; rank < layout.world_size(); ++rank)
        EXPECT_EQ(layout.rank_at(layout.coordinates(RankId(rank))), RankId(rank));
      for (std::size_t at = 0; at < graph::dimension_count; ++at) {
        const auto dimension = static_cast<Dimension>(at);
        std::set<RankId> seen;
        for (std::uint32_t group = 0; group < layout.group_count(dimension); ++group) {
          const std::vector<RankId> members = layout.members(dimension, group);
          EXPECT_EQ(members.size(), layout.group_size(dimension));
          EXPECT_TRUE(std::ranges::is_sorted(members));
          for (const RankId member : members) {
            EXPECT_TRUE(seen.insert(member).second);
            EXPECT_EQ(layout.group_of(dimension, member), group);
            EXPECT_EQ(layout.coordinates(member).pp, layout.coordinates(members.front()).pp);
          }
        }
        EXPECT_EQ(seen.size(), layout.world_size());
      }
    }
  }
}

// What belongs together in one stage does so in every stage, wherever the order puts the stages.
TEST(Layout, GroupsAreTheSamePositionsInEveryStage) {
  for (const std::string_view order : {"tp-cp-ep-dp-pp", "dp-tp-cp-ep-pp", "pp-tp-cp-ep-dp"}) {
    const Layout layout({.tp = 2, .cp = 3, .pp = 2, .ep = 3, .etp = 2, .dp = 4}, order);
    std::set<RankId> seen;
    for (std::int64_t stage = 0; stage < 2; ++stage)
      for (std::uint32_t position = 0; position < layout.position_count(); ++position) {
        const RankId rank = layout.rank_of(stage, position);
        EXPECT_TRUE(seen.insert(rank).second);
        EXPECT_EQ(layout.coordinates(rank).pp, stage);
        EXPECT_EQ(layout.position_of(rank), position);
        EXPECT_TRUE(position == 0 || layout.rank_of(stage, position - 1) < rank);
      }
    for (std::size_t at = 0; at < graph::dimension_count; ++at) {
      const auto dimension = static_cast<Dimension>(at);
      const auto groups = layout.position_groups(dimension);
      EXPECT_EQ(groups.size(), layout.group_count(dimension) / 2);
      for (const std::vector<std::uint32_t>& group : groups)
        for (std::int64_t stage = 0; stage < 2; ++stage) {
          std::vector<RankId> ranks;
          for (const std::uint32_t position : group)
            ranks.push_back(layout.rank_of(stage, position));
          EXPECT_EQ(ranks, layout.members(dimension, layout.group_of(dimension, ranks.front())));
        }
    }
  }
}

// Tensor ranks folded, data replicas not: a group of each dimension for each class, and pairs stay pairs.
TEST(Layout, FoldedMembershipHasEachClassOnce) {
  const Layout layout({.tp = 4, .pp = 2, .dp = 2});
  const graph::Membership folded =
      layout.membership(std::vector<std::uint32_t>{0, 0, 0, 0, 1, 1, 1, 1}, std::vector{Dimension::Tp, Dimension::Dp});
  EXPECT_EQ(folded.folding.size, (std::vector<std::uint32_t>{4, 4, 4, 4}));
  EXPECT_THAT(values(folded.folding.representative), ElementsAre(0, 4, 8, 12));
  EXPECT_EQ(folded.folding.class_of[14], 3U);
  EXPECT_THAT(values(folded.stages[1]), ElementsAre(2, 3));
  const auto& tp = folded.groups[static_cast<std::size_t>(Dimension::Tp)];
  ASSERT_EQ(tp.size(), 4u);
  EXPECT_THAT(values(tp[2]), ElementsAre(4, 5, 6, 7));
  const auto& dp = folded.groups[static_cast<std::size_t>(Dimension::Dp)];
  ASSERT_EQ(dp.size(), 2u);
  EXPECT_THAT(values(dp[1]), ElementsAre(8, 12));
  EXPECT_TRUE(folded.groups[static_cast<std::size_t>(Dimension::Ep)].empty());
}

TEST(Layout, SaysWhatWouldDivide) {
  const auto problems = Layout::problems({.tp = 2, .ep = 5, .dp = 6}, default_rank_order);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, "ep");
  EXPECT_EQ(problems[0].message, "ep x etp = 5 does not divide the 12 ranks of a stage (tp x cp x dp); with etp 1 the "
                                 "nearest ep that divides is 4 or 6");
}

// No ep mends an etp that does not divide.
TEST(Layout, BlamesEtpWhenItDoesNotDivide) {
  const auto problems = Layout::problems({.tp = 2, .ep = 2, .etp = 4, .dp = 3}, default_rank_order);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, "etp");
  EXPECT_EQ(problems[0].message, "4 does not divide the 6 ranks of a stage (tp x cp x dp); use 3 or 6");
}

TEST(Layout, RefusesOrdersThatTearStagesApart) {
  EXPECT_EQ(Layout::problems({.tp = 2, .pp = 2, .ep = 4, .dp = 4}, "tp-cp-ep-pp-dp").at(0).field, "order");
  EXPECT_EQ(Layout::problems({}, "tp-cp-dp-pp").at(0).field, "order");
  EXPECT_EQ(Layout::problems({}, "tp-tp-ep-dp-pp").at(0).field, "order");
}

} // namespace
} // namespace moesim::workloads
