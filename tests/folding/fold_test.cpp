// Which ranks are told apart, on jobs small enough to know it beforehand. That folded runs give the same figures is
// tested where they run (tests/run/folding_test.cpp).
#include "simulator/folding/fold.hpp"

#include <gmock/gmock.h>

#include "platforms/links.hpp"

namespace moesim::folding {
namespace {

using graph::Dimension;
using graph::Kind;
using testing::ElementsAre;
using workloads::Layout;

platforms::Cluster cluster_of(std::int64_t nodes, std::int64_t gpus_per_node) {
  platforms::Cluster cluster;
  cluster.nodes = nodes;
  cluster.gpus_per_node = gpus_per_node;
  cluster.nvlink = {BytesPerSecond(100), 1, Seconds(1), Seconds(1)};
  cluster.nic = {BytesPerSecond(10), 1, Seconds(5), Seconds(5)};
  return cluster;
}

// Every stage computes and sends in groups of these dimensions; each stage passes something on to the next.
graph::Programs programs_of(const Layout& layout, std::initializer_list<Dimension> dimensions) {
  graph::Programs programs;
  programs.works.resize(1);
  programs.works[0].bytes = Bytes(1000);
  programs.names = {"x"};
  for (std::uint32_t stage = 0; stage < layout.sizes().pp; ++stage) {
    graph::Program& program = programs.stages.emplace_back();
    program.add({}, {});
    for (const Dimension dimension : dimensions) {
      graph::Step step;
      step.task.kind = Kind::AllReduce;
      step.task.stream = graph::Stream::Tp;
      step.over = dimension;
      program.add(step, {});
    }
    graph::Step send;
    send.task.kind = Kind::SendRecv;
    send.task.stream = graph::Stream::PpSendNext;
    if (stage + 1 < layout.sizes().pp) {
      send.peer_stage = stage + 1;
      program.add(send, {});
    }
    if (stage > 0) {
      send.peer_stage = stage - 1;
      send.receives = true;
      program.add(send, {});
    }
  }
  return programs;
}

std::vector<std::uint32_t> sizes_of(const Fold& fold) {
  return fold.membership.folding.size;
}

TEST(Fold, RanksThatAreAlikeAreOneClassAStage) {
  const Layout layout({.tp = 4, .pp = 2, .dp = 4});
  const Fold result = fold(programs_of(layout, {Dimension::Tp, Dimension::Dp}), layout, cluster_of(4, 8));
  EXPECT_THAT(sizes_of(result), ElementsAre(16, 16));
  EXPECT_THAT(result.splits, ElementsAre(Split{"pipeline stage", 2}));
}

TEST(Fold, OneStageIsOneClass) {
  const Layout layout({.dp = 8});
  const Fold result = fold(programs_of(layout, {Dimension::Dp}), layout, cluster_of(1, 8));
  EXPECT_THAT(sizes_of(result), ElementsAre(8));
  EXPECT_TRUE(result.splits.empty());
}

// Rank 5 (tensor rank 1 of replica 1) is slow: itself, the rest of its tensor group, the rest of its data group, and
// the ranks that are in groups with those, in each of two stages.
TEST(Fold, ASlowGpuSplitsOffWhomItMeets) {
  const Layout layout({.tp = 4, .pp = 2, .dp = 4});
  platforms::Cluster cluster = cluster_of(4, 8);
  cluster.slow_gpus = {{.gpu = 5, .speed = 0.5}};
  const Fold result = fold(programs_of(layout, {Dimension::Tp, Dimension::Dp}), layout, cluster);
  EXPECT_THAT(sizes_of(result), ElementsAre(9, 3, 3, 1, 9, 3, 3, 1)); // by their first ranks: 0, 1, 4, 5
  EXPECT_THAT(result.membership.folding.representative,
              ElementsAre(RankId(0), RankId(1), RankId(4), RankId(5), RankId(16), RankId(17), RankId(20), RankId(21)));
  EXPECT_THAT(result.splits, ElementsAre(Split{"pipeline stage", 2}, Split{"GPU speed", 8}));
}

// Replicas that exchange nothing know nothing of each other.
TEST(Fold, WhoSharesNoGroupIsNotSplit) {
  const Layout layout({.tp = 4, .dp = 4});
  platforms::Cluster cluster = cluster_of(2, 8);
  cluster.slow_gpus = {{.gpu = 5, .speed = 0.5}};
  const Fold result = fold(programs_of(layout, {Dimension::Tp}), layout, cluster);
  EXPECT_THAT(sizes_of(result), ElementsAre(12, 3, 1));
}

TEST(Fold, ADegradedLinkSplitsLikeASlowGpu) {
  const Layout layout({.tp = 4, .dp = 4});
  platforms::Cluster cluster = cluster_of(2, 8);
  cluster.degraded_links = {{platforms::link_of(cluster, 5, platforms::LinkKind::NicDown), 0.5}};
  const Fold result = fold(programs_of(layout, {Dimension::Tp, Dimension::Dp}), layout, cluster);
  EXPECT_THAT(sizes_of(result), ElementsAre(9, 3, 3, 1));
  EXPECT_THAT(result.splits, ElementsAre(Split{"link bandwidth", 4}));
}

// What is as fast as the others, or not part of the job, tells nobody apart.
TEST(Fold, OverridesThatChangeNothingSplitNothing) {
  const Layout layout({.dp = 8});
  platforms::Cluster cluster = cluster_of(2, 8);
  cluster.slow_gpus = {{.gpu = 5, .speed = 1}, {.gpu = 9, .speed = 0.5}};
  cluster.degraded_links = {{platforms::link_of(cluster, 3, platforms::LinkKind::NicUp), 1},
                            {platforms::link_of(cluster, 12, platforms::LinkKind::NicUp), 0.1}};
  EXPECT_THAT(sizes_of(fold(programs_of(layout, {Dimension::Dp}), layout, cluster)), ElementsAre(8));
}

// Two overrides of one kind fold with each other.
TEST(Fold, GpusThatAreSlowAlikeAreAlike) {
  const Layout layout({.tp = 4, .dp = 4});
  platforms::Cluster cluster = cluster_of(2, 8);
  cluster.slow_gpus = {
      {.gpu = 1, .speed = 0.5}, {.gpu = 5, .speed = 0.5}, {.gpu = 9, .speed = 0.5}, {.gpu = 13, .speed = 0.5}};
  EXPECT_THAT(sizes_of(fold(programs_of(layout, {Dimension::Tp, Dimension::Dp}), layout, cluster)), ElementsAre(12, 4));
}

// Tensor groups of 4 on nodes of 6: every second one lies over two nodes.
TEST(Fold, GroupsOverABoundaryAreOfAnotherKind) {
  const Layout layout({.tp = 4, .dp = 6});
  const Fold result = fold(programs_of(layout, {Dimension::Tp}), layout, cluster_of(4, 6));
  EXPECT_THAT(sizes_of(result), ElementsAre(16, 8)); // 4 of 6 groups within a node
  EXPECT_THAT(result.splits, ElementsAre(Split{"place in the network", 2}));
}

// Of four leaves, one has a weak trunk: what uses it differs, and whom it meets.
TEST(Fold, AWeakTrunkSplitsItsLeaf) {
  const Layout layout({.tp = 4, .dp = 8});
  platforms::Cluster cluster = cluster_of(8, 4);
  cluster.fabric = {2, 2};
  const graph::Programs programs = programs_of(layout, {Dimension::Tp, Dimension::Dp});
  const Fold even = fold(programs, layout, cluster);
  EXPECT_THAT(even.class_of_trunk, ElementsAre(0, 0, 0, 0));
  cluster.degraded_links = {{trunk_of(cluster, 2, platforms::Trunk::Up), 0.5}};
  const Fold weak = fold(programs, layout, cluster);
  EXPECT_THAT(weak.class_of_trunk, ElementsAre(0, 0, 1, 0));
  EXPECT_EQ(sizes_of(weak).size(), 2 * sizes_of(even).size());
}

TEST(Fold, UnfoldedHasEveryRank) {
  const Layout layout({.tp = 2, .pp = 2, .dp = 2});
  EXPECT_EQ(unfolded(layout, cluster_of(1, 8)).membership.folding, graph::unfolded(8));
}

} // namespace
} // namespace moesim::folding
