// What communications put on the links of every kind of platform, against what their messages would one by one.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "platforms/routes.hpp"
#include "simulator/cost/communication.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

using execution::Communication;
using graph::Kind;
using platforms::Cluster;
using platforms::NodeNetwork;
using platforms::Port;
using platforms::Rails;
using platforms::Routing;

constexpr std::array kinds{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll, Kind::RingExchange};

const Port pcie{BytesPerSecond(8), 1, Seconds(0.25), Seconds(0.5)};

struct Platform {
  std::string name;
  Cluster cluster;
};

Cluster with_fabric(const platforms::Fabric& fabric) {
  Cluster cluster = test_cluster(8, 4);
  cluster.fabric = fabric;
  return cluster;
}

// Eight nodes of four GPUs each.
std::vector<Platform> platforms_to_try() {
  std::vector<Platform> all{
      {"non-blocking", test_cluster(8, 4)},
      {"fat tree", with_fabric({.nodes_per_leaf = 3, .oversubscription = 2})},
      {"three levels", with_fabric({.nodes_per_leaf = 1, .oversubscription = 2, .leaves_per_pod = 3})},
      {"rail-optimized", with_fabric({.nodes_per_leaf = 3, .rails = Rails::Joined})},
      {"rails in pods", with_fabric({.nodes_per_leaf = 2, .leaves_per_pod = 8, .rails = Rails::Joined})},
      {"rail-only", with_fabric({.nodes_per_leaf = 8, .rails = Rails::Apart})},
      {"static", with_fabric({.nodes_per_leaf = 2, .routing = Routing::Static, .uplinks = 3})},
      {"hashed",
       with_fabric(
           {.nodes_per_leaf = 1, .leaves_per_pod = 2, .routing = Routing::Hashed, .uplinks = 3, .pod_uplinks = 2})},
  };
  for (const NodeNetwork network : {NodeNetwork::Switch, NodeNetwork::Mesh, NodeNetwork::Pcie})
    for (const std::int64_t nics : {2, 4, 8})
      for (const Rails rails : {Rails::None, Rails::Joined, Rails::Apart}) {
        Cluster cluster = with_fabric({.nodes_per_leaf = rails == Rails::Apart ? 8 : 3, .rails = rails});
        cluster.node_network = network;
        cluster.pcie = pcie;
        cluster.nics_per_node = nics;
        all.push_back({"node network " + std::to_string(static_cast<int>(network)) + ", " + std::to_string(nics) +
                           " NICs, rails " + std::to_string(static_cast<int>(rails)),
                       cluster});
      }
  return all;
}

std::vector<std::vector<RankId>> groups_to_try() {
  const auto ranks = [](const std::vector<std::uint32_t>& values) {
    return std::vector<RankId>(values.begin(), values.end());
  };
  std::vector<RankId> all;
  for (std::uint32_t gpu = 0; gpu < 32; ++gpu)
    all.emplace_back(gpu);
  return {all,
          ranks({0, 1, 2, 3}),
          ranks({1, 2}),
          ranks({0, 5, 10, 15}),
          ranks({3, 4}),
          ranks({0, 4, 8, 12, 28}),
          ranks({0, 1, 3, 6, 12, 13, 31})};
}

Communication communication_of(Kind kind, double size, const std::vector<RankId>& members, const Cluster& cluster) {
  return communication({.kind = kind, .size = Bytes(size)}, members, cluster);
}

// Bytes over each link of the cluster.
std::vector<double> load(const Communication& communication, const Cluster& cluster) {
  std::vector<double> bytes(platforms::link_count(cluster), 0);
  for_each_wave(communication, [&](Seconds, const std::vector<execution::Flow>& flows, std::uint32_t times) {
    for (const execution::Flow& flow : flows)
      for (const execution::Crossing& crossing : flow.route)
        bytes.at(crossing.link) += times * flow.bytes.value();
  });
  return bytes;
}

Seconds time_of(const Communication& communication, const Cluster& cluster) {
  return execution::idle_time(communication, [&](std::uint32_t link) { return link_bandwidth(cluster, link); });
}

// Without its latencies.
double transfer_of(Communication communication, const Cluster& cluster) {
  communication.latency = Seconds(0);
  for (execution::Wave& wave : communication.then)
    wave.latency = Seconds(0);
  return time_of(communication, cluster).value();
}

// A message by itself, link by link.
void add_message(std::uint32_t from, std::uint32_t to, double size, const Cluster& cluster,
                 std::vector<double>& bytes) {
  const auto add = [&](const platforms::Path& path) {
    for (const std::uint32_t link : path)
      bytes.at(link) += size;
  };
  if (cluster.node_of(from) == cluster.node_of(to))
    return add(path_in_node(cluster, from, to));
  const std::uint32_t relay = relay_of(cluster, from, to);
  if (relay != from)
    add(path_in_node(cluster, from, relay));
  const platforms::Ascent ascent = ascent_between(cluster, relay, to);
  add(out_of_nic(cluster, relay, ascent));
  add(into_nic(cluster, to, ascent));
}

TEST(Platforms, AnAllToAllIsItsMessages) {
  for (const auto& [name, cluster] : platforms_to_try())
    for (const std::vector<RankId>& members : groups_to_try()) {
      std::vector<double> expected(platforms::link_count(cluster), 0);
      for (const RankId from : members)
        for (const RankId to : members)
          if (from != to)
            add_message(from.value(), to.value(), 840.0 / static_cast<double>(members.size()), cluster, expected);
      for (const Algorithm algorithm : {Algorithm::Direct, Algorithm::Pairwise})
        for (const Fidelity fidelity : {Fidelity::Fluid, Fidelity::Flow}) {
          const Call call{.kind = Kind::AllToAll, .size = Bytes(840), .algorithm = algorithm, .fidelity = fidelity};
          const auto bytes = load(communication(call, members, cluster), cluster);
          for (std::uint32_t link = 0; link < bytes.size(); ++link)
            ASSERT_NEAR(bytes[link], expected[link], 1e-9)
                << name << ", " << members.size() << " members, " << name_of(algorithm) << ", " << name_of(fidelity)
                << ", " << link_name(cluster, link);
        }
    }
}

TEST(Platforms, AMessageIsAMessage) {
  for (const auto& [name, cluster] : platforms_to_try())
    for (std::uint32_t to = 1; to < 32; ++to) {
      std::vector<double> expected(platforms::link_count(cluster), 0);
      add_message(0, to, 840, cluster, expected);
      EXPECT_EQ(load(communication({Kind::SendRecv, Bytes(840)}, std::vector{RankId(0), RankId(to)}, cluster), cluster),
                expected)
          << name << " " << to;
    }
}

// Over GPUs of a node in a row, whatever joins them, a ring sends what it is to send: 2 (n - 1) / n of the size from
// each, and where they have cables of their own spread over these.
TEST(Platforms, ARingInANodeSendsAsMuchFromEach) {
  for (const auto& [name, cluster] : platforms_to_try()) {
    const auto bytes = load(communication_of(Kind::AllReduce, 840, groups_to_try()[1], cluster), cluster);
    double sent = 0;
    for (std::uint32_t link = 0; link < bytes.size(); ++link)
      if (!link_name(cluster, link).ends_with("down"))
        sent += bytes[link];
    EXPECT_NEAR(sent, 4 * 2 * 3.0 / 4 * 840, 1e-9) << name;
  }
}

// What goes up into a tier comes down out of it. (But of a ring over nodes with unequal numbers of members on rails: it
// leaves a node over other rails than it enters the next one by, which its members' own links do not say.)
TEST(Platforms, TrunksPassOnWhatTheyGet) {
  for (const auto& [name, cluster] : platforms_to_try())
    for (const Kind kind : kinds)
      for (const std::vector<RankId>& members : groups_to_try()) {
        if (cluster.fabric.rails == Rails::Joined && members.size() == 7 && kind != Kind::AllToAll &&
            kind != Kind::RingExchange)
          continue;
        const auto bytes = load(communication_of(kind, 840, members, cluster), cluster);
        std::array<double, platforms::tiers.size()> up{};
        std::array<double, platforms::tiers.size()> down{};
        for (std::uint32_t link = first_trunk(cluster); link < bytes.size(); ++link) {
          const auto tier = static_cast<std::size_t>(tier_of_trunk(cluster, trunk_number(cluster, link)));
          ((link - first_trunk(cluster)) % platforms::links_per_trunk == 0 ? up : down)[tier] += bytes[link];
        }
        for (std::size_t tier = 0; tier < up.size(); ++tier)
          EXPECT_NEAR(up[tier], down[tier], 1e-9 * up[tier]) << name << " " << name_of(kind) << " " << members.size();
      }
}

// More bandwidth or less latency never makes a lone communication slower.
TEST(Platforms, BetterIsNeverSlower) {
  const std::array<void (*)(Cluster&), 8> betterments{
      [](Cluster& cluster) { cluster.nvlink.bandwidth = 1.5 * cluster.nvlink.bandwidth; },
      [](Cluster& cluster) { cluster.nic.bandwidth = 1.5 * cluster.nic.bandwidth; },
      [](Cluster& cluster) {
        if (cluster.pcie)
          cluster.pcie->bandwidth = 1.5 * cluster.pcie->bandwidth;
      },
      [](Cluster& cluster) {
        if (cluster.pcie)
          cluster.pcie->latency = cluster.pcie->simple_latency = Seconds(0);
      },
      [](Cluster& cluster) { cluster.fabric.oversubscription = 1; },
      [](Cluster& cluster) { cluster.fabric.pod_oversubscription = 1; },
      [](Cluster& cluster) { cluster.fabric.hop_latency = Seconds(0); },
      [](Cluster& cluster) { cluster.nic.latency = cluster.nvlink.latency = Seconds(0.1); },
  };
  for (auto& [name, cluster] : platforms_to_try()) {
    cluster.fabric.oversubscription = 3;
    cluster.fabric.pod_oversubscription = 3;
    cluster.fabric.hop_latency = Seconds(0.01);
    for (std::size_t at = 0; at < betterments.size(); ++at) {
      Cluster better = cluster;
      betterments[at](better);
      for (const Kind kind : kinds)
        for (const double size : {1.0, 84.0, 84'000.0})
          for (const std::vector<RankId>& members : groups_to_try())
            EXPECT_LE(time_of(communication_of(kind, size, members, better), better).value(),
                      time_of(communication_of(kind, size, members, cluster), cluster).value() * (1 + 1e-12))
                << name << ", betterment " << at << ", " << name_of(kind) << " of " << size;
    }
  }
}

double transfer_of_all(Kind kind, const Cluster& cluster) {
  std::vector<RankId> members;
  for (std::uint32_t gpu = 0; gpu < cluster.gpu_count(); ++gpu)
    members.emplace_back(gpu);
  return transfer_of(communication_of(kind, 960, members, cluster), cluster);
}

// With P pods, n GPUs of one node each and an oversubscription of o above the pods, an all-to-all takes
// o (1 - 1/P) n / (n - 1) times as long as without, where that exceeds 1.
TEST(Platforms, OversubscribedPodsSlowAnAllToAllAsArithmeticSays) {
  constexpr double n = 16;
  const double without = transfer_of_all(Kind::AllToAll, test_cluster(16, 1));
  for (const std::int64_t pods : {2, 4, 8})
    for (const double o : {1.0, 1.5, 3.0, 8.0}) {
      const double longer = std::max(1.0, o * (1 - 1 / static_cast<double>(pods)) * n / (n - 1));
      Cluster leaves = test_cluster(16, 1);
      leaves.fabric = {.nodes_per_leaf = 16 / pods, .oversubscription = o};
      EXPECT_NEAR(transfer_of_all(Kind::AllToAll, leaves), without * longer, 1e-9) << pods << " " << o;
      Cluster two_levels = test_cluster(16, 1);
      two_levels.fabric = {.nodes_per_leaf = 1, .leaves_per_pod = 16 / pods, .pod_oversubscription = o};
      EXPECT_NEAR(transfer_of_all(Kind::AllToAll, two_levels), without * longer, 1e-9) << pods << " " << o;
    }
}

// Rings of all GPUs go along rails: whatever the spine carries, they do not see it; in one leaf for all nodes they are
// slowed where a leaf ends.
TEST(Platforms, RingsStayOnTheirRails) {
  const double without = transfer_of_all(Kind::AllGather, test_cluster(8, 4));
  const auto with = [](const platforms::Fabric& fabric) {
    return transfer_of_all(Kind::AllGather, with_fabric(fabric));
  };
  EXPECT_DOUBLE_EQ(with({.nodes_per_leaf = 8, .oversubscription = 100, .rails = Rails::Joined}), without);
  EXPECT_DOUBLE_EQ(with({.nodes_per_leaf = 8, .rails = Rails::Apart}), without);
  // Four rails cross from leaf to leaf, each a hundredth of four NICs wide.
  EXPECT_NEAR(with({.nodes_per_leaf = 4, .oversubscription = 100, .rails = Rails::Joined}), without * 100 / 4, 1e-9);
}

// l of the g GPUs of a mesh have l - 1 of the g - 1 cables of their ports.
TEST(Platforms, AGroupInAMeshHasItsCablesOnly) {
  Cluster mesh = test_cluster(1, 4);
  mesh.node_network = NodeNetwork::Mesh;
  const Cluster whole = test_cluster(1, 4);
  for (std::uint32_t l = 2; l <= 4; ++l) {
    std::vector<RankId> members;
    for (std::uint32_t gpu = 0; gpu < l; ++gpu)
      members.emplace_back(gpu);
    const auto transfer = [&](Kind kind, const Cluster& cluster) {
      return transfer_of(communication_of(kind, 840, members, cluster), cluster);
    };
    for (const Kind kind : {Kind::AllReduce, Kind::AllToAll})
      EXPECT_NEAR(transfer(kind, mesh) / transfer(kind, whole), 3.0 / (l - 1), 1e-12) << l;
  }
}

// Four GPUs that share two NICs, of which one is never enough for two.
TEST(Platforms, GpusThatShareANicHaveAPartOfIt) {
  Cluster shared = test_cluster(8, 4);
  shared.pcie = Port{BytesPerSecond(1e6), 1, Seconds(0), Seconds(0)};
  shared.nics_per_node = 2;
  const Cluster own = test_cluster(8, 4);
  for (const Kind kind : {Kind::AllGather, Kind::AllToAll})
    EXPECT_NEAR(transfer_of_all(kind, shared), 2 * transfer_of_all(kind, own), 1e-9) << name_of(kind);
  shared.nics_per_node = 8;
  EXPECT_NEAR(transfer_of_all(Kind::AllToAll, shared), transfer_of_all(Kind::AllToAll, own) / 2, 1e-9);
}

// A hop more on each of two ways, PCIe at both ends; of a ring over k nodes, k - 1 of k boundaries on average.
TEST(Platforms, SwitchesOnTheWayTakeTheirTime) {
  Cluster near = test_cluster(8, 4);
  Cluster far = near;
  far.fabric = {.nodes_per_leaf = 1};
  far.fabric.hop_latency = Seconds(0.125);
  far.pcie = Port{BytesPerSecond(1e9), 1, Seconds(0.5), Seconds(0.5)};
  const double more = 2 * 0.125 + 2 * 0.5;
  const auto members = groups_to_try()[5]; // five nodes
  const auto latency = [&](Kind kind, const Cluster& cluster) {
    const Algorithm algorithm = kind == Kind::AllReduce ? Algorithm::Ring : Algorithm::Auto; // not a tree
    return communication({.kind = kind, .size = Bytes(1), .algorithm = algorithm}, members, cluster).latency.value();
  };
  EXPECT_DOUBLE_EQ(latency(Kind::RingExchange, far), latency(Kind::RingExchange, near) + more);
  EXPECT_DOUBLE_EQ(latency(Kind::AllToAll, far), latency(Kind::AllToAll, near) + more);
  EXPECT_NEAR(latency(Kind::AllGather, far), latency(Kind::AllGather, near) + 4 * more, 1e-12);
  EXPECT_NEAR(latency(Kind::AllReduce, far), latency(Kind::AllReduce, near) + 8 * more, 1e-12);
}

} // namespace
} // namespace moesim::cost
