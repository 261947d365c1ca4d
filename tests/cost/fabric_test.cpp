// What crosses the trunks between leaves, and what that takes.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "simulator/cost/communication.hpp"
#include "simulator/cost/cost_table.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

using execution::Communication;
using graph::Kind;
using platforms::Cluster;
using platforms::Trunk;
using platforms::trunk_of;

constexpr std::array kinds{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll, Kind::RingExchange};

Cluster fat_tree(std::int64_t nodes, std::int64_t gpus, std::int64_t nodes_per_leaf, double oversubscription) {
  Cluster cluster = test_cluster(nodes, gpus);
  cluster.fabric = {nodes_per_leaf, oversubscription};
  return cluster;
}

std::vector<RankId> ranks(std::initializer_list<std::uint32_t> values) {
  std::vector<RankId> result;
  for (const std::uint32_t value : values)
    result.emplace_back(value);
  return result;
}

std::vector<RankId> all_ranks(const Cluster& cluster) {
  std::vector<RankId> result;
  for (std::uint32_t gpu = 0; gpu < cluster.gpu_count(); ++gpu)
    result.emplace_back(gpu);
  return result;
}

Call by_ring(Kind kind, double bytes) {
  return {.kind = kind, .size = Bytes(bytes), .algorithm = Algorithm::Ring};
}

// Bytes over each link of the cluster.
std::vector<double> load(const Communication& communication, const Cluster& cluster) {
  std::vector<double> bytes(platforms::link_count(cluster), 0);
  for (const execution::Flow& flow : communication.flows)
    for (const execution::Crossing& crossing : flow.route)
      bytes.at(crossing.link) += flow.bytes.value();
  return bytes;
}

// Of the flow that begins with the link called `first`.
std::vector<std::string> route_over(const Communication& communication, const std::string& first,
                                    const Cluster& cluster) {
  std::vector<std::string> route;
  for (const execution::Flow& flow : communication.flows)
    if (link_name(cluster, flow.route[0].link) == first)
      for (const execution::Crossing& crossing : flow.route)
        route.push_back(link_name(cluster, crossing.link));
  return route;
}

std::vector<execution::Link> links_of(const Cluster& cluster) {
  std::vector<execution::Link> links;
  for (std::uint32_t link = 0; link < platforms::link_count(cluster); ++link)
    links.push_back({link_name(cluster, link), link_bandwidth(cluster, link)});
  return links;
}

// Of the communication without its latency.
double transfer_time(const Communication& communication, const Cluster& cluster) {
  return execution::idle_time({Seconds(0), communication.flows}, links_of(cluster)).value();
}

// Members by leaf (two nodes of two GPUs each): 3 in leaf 0 (on both nodes), 1 in leaf 1, 2 in leaf 3 (on one node).
const std::vector<RankId> uneven = ranks({0, 1, 3, 6, 12, 13});

// Every message from one leaf to another, by the definition of an all-to-all.
TEST(Fabric, AnAllToAllCrossesWithWhatItsPairsSend) {
  const Cluster cluster = fat_tree(8, 2, 2, 3);
  for (const std::vector<RankId>& members : {uneven, all_ranks(cluster), ranks({0, 2}), ranks({0, 4})}) {
    std::vector<double> expected(platforms::link_count(cluster), 0);
    for (const RankId from : members)
      for (const RankId to : members)
        if (const auto a = cluster.leaf_of(from.value()), b = cluster.leaf_of(to.value()); a != b) {
          expected[trunk_of(cluster, a, Trunk::Up)] += 600.0 / static_cast<double>(members.size());
          expected[trunk_of(cluster, b, Trunk::Down)] += 600.0 / static_cast<double>(members.size());
        }
    const auto bytes = load(communication({Kind::AllToAll, Bytes(600)}, members, cluster), cluster);
    for (std::uint32_t link = trunk_of(cluster, 0, Trunk::Up); link < platforms::link_count(cluster); ++link)
      EXPECT_NEAR(bytes[link], expected[link], 1e-9) << link_name(cluster, link);
  }
}

// A ring moves everything across each boundary of nodes, once a round; of its four boundaries three are between leaves.
TEST(Fabric, ARingCrossesOncePerLeaf) {
  const Cluster cluster = fat_tree(8, 2, 2, 3);
  const Communication reduce = communication(by_ring(Kind::AllReduce, 600), uneven, cluster);
  const auto bytes = load(reduce, cluster);
  for (const std::int64_t leaf : {0, 1, 3})
    for (const Trunk trunk : {Trunk::Up, Trunk::Down})
      EXPECT_DOUBLE_EQ(bytes[trunk_of(cluster, leaf, trunk)], 2 * 5.0 / 6 * 600) << leaf;
  EXPECT_EQ(bytes[trunk_of(cluster, 2, Trunk::Up)], 0);
  // It comes into leaf 0 by the first node and leaves it by the second.
  EXPECT_THAT(route_over(reduce, "node0.nic1.up", cluster),
              testing::ElementsAre("node0.nic1.up", "leaf0.down", "node0.nic1.down"));
  EXPECT_THAT(route_over(reduce, "node1.nic1.up", cluster),
              testing::ElementsAre("node1.nic1.up", "leaf0.up", "node1.nic1.down"));
  const auto inside = load(communication(by_ring(Kind::AllReduce, 600), ranks({0, 1, 2, 3}), cluster), cluster);
  EXPECT_EQ(inside[trunk_of(cluster, 0, Trunk::Up)], 0);
}

TEST(Fabric, MessagesCrossTheTrunksBetweenTheirEnds) {
  const Cluster cluster = fat_tree(8, 2, 2, 3);
  const Communication message = communication({Kind::SendRecv, Bytes(100)}, ranks({2, 9}), cluster);
  EXPECT_THAT(route_over(message, "node1.nic0.up", cluster),
              testing::ElementsAre("node1.nic0.up", "leaf0.up", "leaf2.down", "node4.nic1.down"));
  EXPECT_EQ(communication({Kind::SendRecv, Bytes(100)}, ranks({0, 3}), cluster).flows.at(0).route.size(), 2u);
  // Of the exchange 3 -> 2 -> 4 -> 8 -> 3, in the order of the members, the first message stays in a node.
  const auto bytes = load(communication({Kind::RingExchange, Bytes(100)}, ranks({3, 2, 4, 8}), cluster), cluster);
  for (const std::int64_t leaf : {0, 1, 2})
    for (const Trunk trunk : {Trunk::Up, Trunk::Down})
      EXPECT_EQ(bytes[trunk_of(cluster, leaf, trunk)], 100) << leaf;
}

// Whatever the kind and the group; and trunks change nothing in what the links of GPUs carry, nor in the latency.
TEST(Fabric, TrunksPassOnWhatTheyGet) {
  const Cluster cluster = fat_tree(8, 2, 2, 3);
  for (const Kind kind : kinds) {
    for (const auto& members : {uneven, all_ranks(cluster), ranks({0, 2}), ranks({0, 4}), ranks({1, 2, 5, 15})}) {
      const Communication crossed = communication({kind, Bytes(840)}, members, cluster);
      const auto bytes = load(crossed, cluster);
      double up = 0;
      double down = 0;
      for (std::int64_t leaf = 0; leaf < cluster.leaf_count(); ++leaf) {
        up += bytes[trunk_of(cluster, leaf, Trunk::Up)];
        down += bytes[trunk_of(cluster, leaf, Trunk::Down)];
      }
      EXPECT_NEAR(up, down, 1e-9 * up);
      const Cluster flat = test_cluster(8, 2);
      const Communication direct = communication({kind, Bytes(840)}, members, flat);
      const auto without = load(direct, flat);
      for (std::uint32_t link = 0; link < without.size(); ++link)
        EXPECT_NEAR(bytes[link], without[link], 1e-9) << link_name(flat, link);
      EXPECT_EQ(crossed.latency, direct.latency);
    }
  }
}

// n GPUs, g a node, l a leaf: of the n - g parts that a NIC sends, n - l cross the trunk, where a member's share of the
// bandwidth is that of its NIC over o.
TEST(Fabric, AnAllToAllTakesAsMuchLongerAsItsTrunksAreFull) {
  for (const std::int64_t nodes_per_leaf : {1, 2, 4})
    for (const double oversubscription : {1.0, 1.5, 2.0, 5.0}) {
      const Cluster cluster = fat_tree(8, 2, nodes_per_leaf, oversubscription);
      const double n = 16;
      const double g = 2;
      const double l = g * static_cast<double>(nodes_per_leaf);
      const double without = (n - g) / n * 640 / 10;
      EXPECT_NEAR(transfer_time(communication({Kind::AllToAll, Bytes(640)}, all_ranks(cluster), cluster), cluster),
                  without * std::max(1.0, oversubscription * (n - l) / (n - g)), 1e-9)
          << nodes_per_leaf << " " << oversubscription;
    }
}

// A lone ring leaves a leaf from one node, so only one node's share of the trunk is needed.
TEST(Fabric, ALoneRingFillsTheTrunkWithOneNode) {
  for (const std::int64_t nodes_per_leaf : {1, 2, 4})
    for (const double oversubscription : {1.0, 2.0, 6.0}) {
      const Cluster cluster = fat_tree(8, 2, nodes_per_leaf, oversubscription);
      const double without = 15.0 / 16 * 640 / 2 / 10;
      EXPECT_NEAR(transfer_time(communication(by_ring(Kind::AllGather, 640), all_ranks(cluster), cluster), cluster),
                  without * std::max(1.0, oversubscription / static_cast<double>(nodes_per_leaf)), 1e-9)
          << nodes_per_leaf << " " << oversubscription;
    }
}

// A hundredth of the bandwidth out of leaf 1 slows exactly what leaves it.
TEST(Fabric, ADegradedTrunkSlowsWhatCrossesItAndNothingElse) {
  const Cluster whole = fat_tree(8, 2, 2, 2);
  Cluster degraded = whole;
  degraded.degraded_links = {{.link = trunk_of(whole, 1, Trunk::Up), .bandwidth_factor = 0.01}};
  const auto slowed = [&](const Communication& communication) {
    return transfer_time(communication, degraded) / transfer_time(communication, whole);
  };
  for (const Kind kind : kinds) {
    EXPECT_GT(slowed(communication({kind, Bytes(840)}, all_ranks(whole), whole)), 20) << name_of(kind);
    EXPECT_GT(slowed(communication({kind, Bytes(840)}, ranks({3, 4}), whole)), 20) << name_of(kind);
    EXPECT_EQ(slowed(communication({kind, Bytes(840)}, ranks({4, 5, 6, 7}), whole)), 1) << name_of(kind);
    EXPECT_EQ(slowed(communication({kind, Bytes(840)}, ranks({0, 3, 8, 15}), whole)), 1) << name_of(kind);
  }
  EXPECT_GT(slowed(communication({Kind::SendRecv, Bytes(840)}, ranks({4, 3}), whole)), 20);
  EXPECT_EQ(slowed(communication({Kind::SendRecv, Bytes(840)}, ranks({3, 4}), whole)), 1);
}

// The fewer GPUs a job has, the fewer links: those of its GPUs and then the trunks of their leaves, whatever the size
// of the cluster.
TEST(Fabric, AJobHasTheTrunksOfItsLeaves) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 5; // one more than a leaf
  parts.names = {"x"};
  parts.works.resize(1);
  parts.works[0].bytes = Bytes(100);
  parts.groups = {{RankId(0), RankId(4)}};
  graph::Task gather;
  gather.kind = graph::Kind::AllGather;
  gather.stream = graph::Stream::Dp;
  parts.tasks.push_back(gather);
  const execution::Costs costs = cost_table(graph::TaskGraph(std::move(parts)), fat_tree(8, 2, 2, 2));
  ASSERT_EQ(costs.links.size(), 5u * 4 + 2 * 2);
  EXPECT_EQ(costs.links[20].name, "leaf0.up");
  EXPECT_EQ(costs.links[23].name, "leaf1.down");
  EXPECT_EQ(costs.links[23].capacity, BytesPerSecond(2 * 2 * 10 / 2));
  std::vector<std::string> route;
  for (const execution::Crossing& crossing : costs.communications.at(0).flows.at(1).route)
    route.push_back(costs.links.at(crossing.link).name);
  EXPECT_THAT(route, testing::ElementsAre("node2.nic0.up", "leaf1.up", "leaf1.down", "node2.nic0.down"));
}

} // namespace
} // namespace moesim::cost
