// Everybody sends each other something else: rows and columns add up, and the fullest of them sets the pace.
#include "simulator/cost/all_to_all_v.hpp"

#include <random>

#include <gtest/gtest.h>

#include "tests/cost/test_cluster.hpp"
#include "tests/cost/test_group.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;
using platforms::LinkKind;

constexpr std::array fidelities{Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow};

Traffic even(std::size_t members, double bytes) {
  return {std::vector<Bytes>(members * members, Bytes(bytes))};
}

Traffic uneven(std::size_t members) {
  std::mt19937 random(7);
  Traffic traffic;
  for (std::size_t pair = 0; pair < members * members; ++pair)
    traffic.bytes.emplace_back(static_cast<double>(random() % 4 == 0 ? 0 : random() % 1000));
  return traffic;
}

double time_of(const execution::Communication& communication, const platforms::Cluster& cluster) {
  return execution::idle_time(communication,
                              [&](std::uint32_t link) { return platforms::link_bandwidth(cluster, link); })
      .value();
}

TEST(AllToAllV, OfEqualPartsIsAnAllToAll) {
  for (const platforms::Cluster& cluster : {test_cluster(1, 8), test_cluster(4, 4)})
    for (const Fidelity fidelity : fidelities) {
      const std::vector<RankId> members = block(static_cast<std::uint32_t>(cluster.nodes), 4, cluster);
      const double part = 10;
      const Call call{.kind = Kind::AllToAll,
                      .size = Bytes(part * static_cast<double>(members.size())),
                      .algorithm = Algorithm::Direct,
                      .fidelity = fidelity};
      const execution::Communication all = all_to_all_v(even(members.size(), part), fidelity, members, cluster);
      EXPECT_NEAR(time_of(all, cluster), lone_time(call, members, cluster).value(), 1e-9);
      const auto loads = load_of(all);
      for (const auto& [link, bytes] : load_of(communication(call, members, cluster)))
        EXPECT_NEAR(loads.at(link), bytes, 1e-9) << link_name(cluster, link);
    }
}

// On a fabric of leaves, in every fidelity: what crosses each link is what the pairs beyond it send each other.
TEST(AllToAllV, EveryLinkCarriesItsRowsAndColumns) {
  platforms::Cluster cluster = test_cluster(4, 2);
  cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 2};
  const std::vector<RankId> members = ranks({0, 1, 2, 4, 5, 7});
  const Traffic traffic = uneven(members.size());
  std::map<std::uint32_t, double> expected;
  for (std::size_t from = 0; from < members.size(); ++from)
    for (std::size_t to = 0; to < members.size(); ++to) {
      const std::uint32_t a = members[from].value();
      const std::uint32_t b = members[to].value();
      const double bytes = traffic.from_to(from, to, members.size()).value();
      if (a == b || bytes == 0)
        continue;
      const bool is_near = cluster.node_of(a) == cluster.node_of(b);
      expected[link_of(cluster, a, is_near ? LinkKind::NvlinkUp : LinkKind::NicUp)] += bytes;
      expected[link_of(cluster, b, is_near ? LinkKind::NvlinkDown : LinkKind::NicDown)] += bytes;
      if (cluster.leaf_of(a) == cluster.leaf_of(b))
        continue;
      expected[trunk_of(cluster, cluster.leaf_of(a), platforms::Trunk::Up)] += bytes;
      expected[trunk_of(cluster, cluster.leaf_of(b), platforms::Trunk::Down)] += bytes;
    }
  for (const Fidelity fidelity : fidelities) {
    const auto loads = load_of(all_to_all_v(traffic, fidelity, members, cluster));
    EXPECT_EQ(loads.size(), expected.size());
    for (const auto& [link, bytes] : expected)
      EXPECT_DOUBLE_EQ(loads.at(link), bytes) << link_name(cluster, link) << ' ' << name_of(fidelity);
  }
}

// 15 members send 1 to each, and 4 to one of them: its NIC takes what it takes for 4 to each.
TEST(AllToAllV, AHotReceiverSetsThePace) {
  const platforms::Cluster cluster = test_cluster(16, 1);
  const std::vector<RankId> members = block(16, 1, cluster);
  Traffic hot = even(16, 100);
  for (std::size_t from = 0; from < 16; ++from)
    hot.bytes[from * 16 + 5] = Bytes(400);
  for (const Fidelity fidelity : fidelities) {
    const execution::Communication skewed = all_to_all_v(hot, fidelity, members, cluster);
    EXPECT_DOUBLE_EQ(time_of(skewed, cluster) - skewed.latency.value(), 15 * 400 / 10.0) << name_of(fidelity);
  }
}

TEST(AllToAllV, NothingToSendCostsNothing) {
  const platforms::Cluster cluster = test_cluster(2, 2);
  for (const Fidelity fidelity : fidelities) {
    EXPECT_EQ(time_of(all_to_all_v(even(4, 0), fidelity, block(2, 2, cluster), cluster), cluster), 0);
    EXPECT_EQ(time_of(all_to_all_v(even(1, 5), fidelity, ranks({3}), cluster), cluster), 0);
  }
}

} // namespace
} // namespace moesim::cost
