#include "platforms/routes.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "tests/platforms/cluster_text.hpp"

namespace moesim::platforms {
namespace {

using testing::ElementsAre;

const std::string plain = "gpus: 4, nvlink: {bandwidth: 300GB/s, latency: 1us}, nic: {bandwidth: 50GB/s, latency: 5us}";

std::vector<std::string> names_of(const Cluster& cluster, const Path& path) {
  std::vector<std::string> names;
  for (const std::uint32_t link : path)
    names.push_back(link_name(cluster, link));
  return names;
}

// Four nodes of four GPUs, a leaf each, two leaves a pod.
TEST(Routes, ClimbAsFarAsTheyMust) {
  const Cluster cluster = read(platform(4, plain + ", pcie: {bandwidth: 60GB/s, latency: 2us}",
                                        "type: fat-tree, levels: 3, nodes_per_leaf: 1, leaves_per_pod: 2, "
                                        "hop_latency: 130ns"));
  EXPECT_EQ(level_between(cluster, 1, 4), 1);
  EXPECT_EQ(level_between(cluster, 1, 8), 2);
  const Ascent near = ascent_between(cluster, 1, 4);
  EXPECT_THAT(names_of(cluster, out_of_nic(cluster, 1, near)),
              ElementsAre("node0.pcie1.up", "node0.nic1.up", "leaf0.up"));
  const Ascent far = ascent_between(cluster, 1, 8);
  EXPECT_THAT(names_of(cluster, out_of_nic(cluster, 1, far)),
              ElementsAre("node0.pcie1.up", "node0.nic1.up", "leaf0.up", "pod0.up"));
  EXPECT_THAT(names_of(cluster, into_nic(cluster, 8, far)),
              ElementsAre("pod1.down", "leaf2.down", "node2.nic0.down", "node2.pcie0.down"));
  // Two more switches, then four, and PCIe at both ends.
  EXPECT_DOUBLE_EQ(latency_between(cluster, 1, 4).value(), 2 * 130e-9 + 2 * 2e-6);
  EXPECT_DOUBLE_EQ(latency_between(cluster, 1, 8).value(), 4 * 130e-9 + 2 * 2e-6);
  EXPECT_EQ(switches_at(2), 5);
}

TEST(Routes, ANonBlockingFabricIsOneSwitch) {
  const Cluster cluster = read(platform(4, plain, "type: non-blocking"));
  EXPECT_EQ(level_between(cluster, 0, 15), 0);
  EXPECT_EQ(latency_between(cluster, 0, 15), Seconds(0));
  EXPECT_THAT(names_of(cluster, out_of_nic(cluster, 0, {})), ElementsAre("node0.nic0.up"));
}

TEST(Routes, InsideANode) {
  const Cluster by_switch = read(platform(2, plain, "type: non-blocking"));
  EXPECT_THAT(names_of(by_switch, path_in_node(by_switch, 5, 6)),
              ElementsAre("node1.nvlink1.up", "node1.nvlink2.down"));
  const Cluster mesh = read(platform(2,
                                     "gpus: 4, nvlink: {type: mesh, bandwidth: 300GB/s, latency: 1us}, nic: "
                                     "{bandwidth: 50GB/s, latency: 5us}",
                                     "type: non-blocking"));
  EXPECT_THAT(names_of(mesh, path_in_node(mesh, 5, 6)), ElementsAre("node1.nvlink1.to2"));
  const Cluster pcie = read(platform(
      2, "gpus: 4, pcie: {bandwidth: 32GB/s, latency: 1us}, nic: {bandwidth: 50GB/s, latency: 5us, per_node: 2}",
      "type: non-blocking"));
  EXPECT_THAT(names_of(pcie, path_in_node(pcie, 5, 6)), ElementsAre("node1.pcie1.up", "node1.pcie2.down"));
  EXPECT_THAT(names_of(pcie, out_of_nic(pcie, 6, {})), ElementsAre("node1.pcie2.up", "node1.nic1.up"));
  EXPECT_EQ(latency_between(pcie, 0, 6), Seconds(0)); // PCIe is in the NIC's latency where there is nothing else
}

TEST(Routes, RailsMeetInTheSpine) {
  const Cluster cluster = read(platform(4, plain, "type: rail-optimized, nodes_per_leaf: 2"));
  EXPECT_EQ(level_between(cluster, 1, 5), 0);
  EXPECT_EQ(level_between(cluster, 1, 6), 1);
  EXPECT_EQ(level_between(cluster, 1, 9), 1); // the same rail, another group of nodes
  EXPECT_THAT(names_of(cluster, out_of_nic(cluster, 9, ascent_between(cluster, 9, 2))),
              ElementsAre("node2.nic1.up", "leaf5.up"));
  for (std::uint32_t from = 0; from < 16; ++from)
    for (std::uint32_t to = 0; to < 16; ++to)
      EXPECT_EQ(relay_of(cluster, from, to), from);
}

// Whatever is not on the sender's rail goes over a neighbour that is on the receiver's.
TEST(Routes, RailsApartAreReachedByARelay) {
  for (const char* nics : {"4", "8", "2"}) {
    const Cluster cluster =
        read(platform(4,
                      "gpus: 4, nvlink: {bandwidth: 300GB/s, latency: 1us}, pcie: {bandwidth: 60GB/s}, nic: "
                      "{bandwidth: 50GB/s, latency: 5us, per_node: " +
                          std::string(nics) + "}",
                      "type: rail-only"));
    for (std::uint32_t from = 0; from < 16; ++from)
      for (std::uint32_t to = 0; to < 16; ++to) {
        const std::uint32_t relay = relay_of(cluster, from, to);
        EXPECT_EQ(cluster.node_of(relay), cluster.node_of(from));
        EXPECT_TRUE(reaches(cluster, relay, to));
        EXPECT_EQ(level_between(cluster, relay, to), 0);
        EXPECT_EQ(relay == from, cluster.rail_of(from) == cluster.rail_of(to));
      }
    EXPECT_FALSE(reaches(cluster, 0, 7));
  }
}

const std::string static_tree = "type: fat-tree, nodes_per_leaf: 4, routing: static, uplinks: 4";

// D-mod-k: a shift of all NICs by as many nodes as a leaf has fills each uplink of each leaf with as many messages.
TEST(Routes, StaticRoutingSpreadsAShiftEvenly) {
  const Cluster cluster = read(platform(16, plain, static_tree));
  std::map<std::uint32_t, int> up;
  std::map<std::uint32_t, int> down;
  for (std::uint32_t from = 0; from < 64; ++from) {
    const std::uint32_t to = (from + 16) % 64;
    const Ascent ascent = ascent_between(cluster, from, to);
    EXPECT_EQ(ascent.leaf_uplink, to % 4);
    ++up[out_of_nic(cluster, from, ascent).back()];
    ++down[into_nic(cluster, to, ascent).front()];
  }
  EXPECT_EQ(up.size(), 16u);
  EXPECT_EQ(down.size(), 16u);
  for (const auto& [link, messages] : up)
    EXPECT_EQ(messages, 4) << link_name(cluster, link);
}

// n messages over k uplinks leave k (1 - 1/k)^n of them idle on average, so that n - k (1 - (1 - 1/k)^n) messages find
// their uplink taken (occupancy: Feller, An Introduction to Probability Theory, volume 1, IV.2). The mean of 512 seeds
// is within 4 standard errors, the deviation of one draw being below sqrt(n) / 2.
TEST(Routes, HashedRoutingCollidesAtTheExpectedRate) {
  Cluster cluster = read(platform(16, plain, "type: fat-tree, nodes_per_leaf: 4, routing: hashed, uplinks: 8"));
  constexpr int draws = 512;
  constexpr double n = 16;
  constexpr double k = 8;
  double collisions = 0;
  for (int draw = 0; draw < draws; ++draw) {
    cluster.fabric.seed = static_cast<std::uint64_t>(draw);
    std::map<std::uint32_t, int> messages;
    for (std::uint32_t from = 0; from < 16; ++from)
      ++messages[ascent_between(cluster, from, from + 16).leaf_uplink];
    collisions += n - static_cast<double>(messages.size());
  }
  EXPECT_NEAR(collisions / draws, n - k * (1 - std::pow(1 - 1 / k, n)), 4 * std::sqrt(n) / 2 / std::sqrt(draws));
}

// With a second level, both are drawn: 4 x 4 ways are taken evenly by the 256 pairs of two leaves in two pods.
TEST(Routes, HashedRoutingDrawsEachLevel) {
  const Cluster cluster = read(platform(
      16, plain, "type: fat-tree, levels: 3, nodes_per_leaf: 4, leaves_per_pod: 2, routing: hashed, uplinks: [4, 4]"));
  std::map<Ascent, double> pairs;
  for (std::uint32_t from = 0; from < 32; ++from)
    for (std::uint32_t to = 32; to < 64; ++to)
      ++pairs[ascent_between(cluster, from, to)];
  EXPECT_EQ(pairs.size(), 16u);
  double chi_squared = 0;
  for (const auto& [ascent, count] : pairs)
    chi_squared += (count - 64) * (count - 64) / 64;
  EXPECT_LT(chi_squared, 37.7); // 15 degrees of freedom: one in a thousand
}

} // namespace
} // namespace moesim::platforms
