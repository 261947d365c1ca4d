// Each algorithm: what it sends over which links, how long it takes, and which is chosen.
#include <array>
#include <cmath>

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "simulator/cost/families.hpp"
#include "tests/cost/test_cluster.hpp"
#include "tests/cost/test_group.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;
using platforms::Cluster;
using platforms::LinkKind;

constexpr std::array collectives{Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::Broadcast,
                                 Kind::AllToAll,  Kind::Dispatch,  Kind::Combine};
constexpr std::size_t links_of_a_gpu = 4; // in clusters such as these
constexpr std::array fidelities{Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow};

// The test cluster with everything that switches and libraries can do.
Cluster rich_cluster(std::int64_t nodes, std::int64_t gpus) {
  Cluster cluster = test_cluster(nodes, gpus);
  platforms::Protocols& protocols = cluster.protocols;
  protocols.ll128 = {.latency = Seconds(3),
                     .nvlink_latency = Seconds(1.1),
                     .nic_latency = Seconds(5.5),
                     .nvlink_efficiency = 0.9375,
                     .nic_efficiency = 0.9375};
  protocols.nvls = {.latency = Seconds(10), .efficiency = 0.8, .min_gpus = 2};
  cluster.fabric.sharp = true;
  protocols.sharp = {.latency = Seconds(12), .efficiency = 0.9, .min_gpus = 2};
  protocols.tree_efficiency = 0.9;
  protocols.one_shot = {.latency = Seconds(0.5), .nvlink_efficiency = 0.4};
  protocols.two_shot = {.latency = Seconds(1.5), .nvlink_efficiency = 0.5};
  const platforms::TokenExchange exchange{Seconds(2), Seconds(0.25), Seconds(0.125), 0.5};
  protocols.nvlink_one_sided = protocols.nvlink_two_sided = platforms::TokenExchanges{
      exchange, exchange, platforms::TokenExchange{Seconds(2), Seconds(0.25), Seconds(0.5), 0.5}, {}};
  return cluster;
}

Call named(Algorithm algorithm, Kind kind, double bytes, Fidelity fidelity = Fidelity::Fluid) {
  return {.kind = kind,
          .size = Bytes(bytes),
          .routing = {.experts = 64, .per_token = 4, .groups = 1, .groups_per_token = 1, .token = Bytes(10)},
          .algorithm = algorithm,
          .fidelity = fidelity};
}

std::vector<Algorithm> algorithms_for(Kind kind) {
  std::vector<Algorithm> result;
  for (std::size_t at = 0; at < algorithm_count; ++at)
    if (does(static_cast<Algorithm>(at), kind))
      result.push_back(static_cast<Algorithm>(at));
  return result;
}

// The groups of the issue: one node, several, one GPU a node, parts of nodes, uneven and scattered ones.
std::vector<std::vector<RankId>> groups() {
  return {ranks({0, 1}),       ranks({0, 1, 2, 3}),     ranks({0, 4}),          ranks({1, 5, 9, 13}),
          ranks({0, 1, 2, 4}), ranks({2, 3, 4, 5, 12}), ranks({0, 1, 4, 5, 8}), block(4, 4, test_cluster(4, 4))};
}

TEST(Algorithms, EveryFidelityTakesAsLongAndMovesAsMuch) {
  const Cluster cluster = rich_cluster(4, 4);
  for (const Kind kind : collectives)
    for (const Algorithm algorithm : algorithms_for(kind))
      for (const auto& group : groups())
        for (const double bytes : {1.0, 840.0, 1e6}) {
          const Seconds time = lone_time(named(algorithm, kind, bytes), group, cluster);
          double moved = 0;
          for (const auto& [link, load] : load_of(communication(named(algorithm, kind, bytes), group, cluster)))
            moved += load;
          for (const Fidelity fidelity : fidelities) {
            const Call call = named(algorithm, kind, bytes, fidelity);
            EXPECT_NEAR(lone_time(call, group, cluster) / time, 1, 0.01)
                << name_of(kind) << " " << name_of(algorithm) << " " << group.size() << " " << name_of(fidelity);
            double here = 0;
            for (const auto& [link, load] : load_of(communication(call, group, cluster)))
              here += load;
            EXPECT_NEAR(here / moved, 1, 1e-9) << name_of(kind) << " " << name_of(algorithm) << " " << group.size();
          }
        }
}

// A message that NICs carry leaves one and enters one, and so in NVLink.
TEST(Algorithms, WhatIsSentArrives) {
  const Cluster cluster = rich_cluster(4, 4);
  for (const Kind kind : collectives)
    for (const Algorithm algorithm : algorithms_for(kind))
      for (const auto& group : groups())
        for (const Fidelity fidelity : fidelities) {
          std::array<double, links_of_a_gpu> sum{};
          for (const auto& [link, load] : load_of(communication(named(algorithm, kind, 840, fidelity), group, cluster)))
            sum.at(link % links_of_a_gpu) += load;
          EXPECT_NEAR(sum[0], sum[1], 1e-9 * sum[0]) << name_of(kind) << " " << name_of(algorithm);
          EXPECT_NEAR(sum[2], sum[3], 1e-9 * sum[2]) << name_of(kind) << " " << name_of(algorithm);
          EXPECT_GT(sum[0] + sum[2], 0);
        }
}

TEST(Algorithms, AGroupOfOneAndNothingAreFree) {
  for (const Kind kind : collectives)
    for (const Algorithm algorithm : algorithms_for(kind)) {
      EXPECT_EQ(lone_time(named(algorithm, kind, 100), ranks({3}), rich_cluster(2, 4)), Seconds());
      EXPECT_EQ(lone_time(named(algorithm, kind, 0), ranks({0, 1}), rich_cluster(2, 4)), Seconds());
    }
}

TEST(Algorithms, MoreBandwidthOrLessLatencyNeverHurts) {
  const Cluster base = rich_cluster(4, 4);
  std::vector<Cluster> better(8, base);
  better[0].nvlink.bandwidth = 1.5 * base.nvlink.bandwidth;
  better[1].nic.bandwidth = 1.5 * base.nic.bandwidth;
  better[2].nvlink.latency = 0.5 * base.nvlink.latency;
  better[3].nic.simple_latency = 0.5 * base.nic.simple_latency;
  better[4].protocols.nvls->latency = Seconds(1);
  better[5].protocols.sharp->latency = Seconds(1);
  better[6].protocols.ll128->nic_latency = Seconds(1);
  better[7].collective_latency = Seconds(1);
  for (const Kind kind : collectives)
    for (const Algorithm algorithm : algorithms_for(kind))
      for (const auto& group : groups())
        for (const double bytes : {1.0, 100.0, 1e4, 1e6}) {
          const Call call = named(algorithm, kind, bytes);
          const Seconds before = lone_time(call, group, base);
          for (std::size_t at = 0; at < better.size(); ++at)
            EXPECT_LE(lone_time(call, group, better[at]).value(), before.value() * (1 + 1e-12))
                << name_of(kind) << " " << name_of(algorithm) << " " << group.size() << " " << bytes << " " << at;
        }
}

// Auto is never slower than what NCCL could have done instead, and says what it did.
TEST(Algorithms, TheFastestIsChosen) {
  const Cluster cluster = rich_cluster(4, 4);
  for (const auto& group : groups())
    for (double bytes = 1; bytes < 1e7; bytes *= 4) {
      EXPECT_NE(plan(named(Algorithm::Auto, Kind::AllReduce, bytes), group, cluster).algorithm, Algorithm::Auto);
      for (const Algorithm other : {Algorithm::Ring, Algorithm::Tree, Algorithm::Nvls, Algorithm::Sharp}) {
        const Call call = named(other, Kind::AllReduce, bytes);
        if (plan(call, group, cluster).algorithm != other)
          continue; // this group cannot do it
        EXPECT_LE(lone_time(named(Algorithm::Auto, Kind::AllReduce, bytes), group, cluster).value(),
                  lone_time(call, group, cluster).value() * (1 + 1e-12));
      }
    }
}

TEST(Algorithms, WhatAGroupCannotDoIsChosenForIt) {
  const Cluster plain = test_cluster(2, 4); // no NVLS, no SHARP
  for (const Algorithm algorithm : {Algorithm::Tree, Algorithm::Nvls, Algorithm::Sharp, Algorithm::Hierarchical})
    EXPECT_EQ(plan(named(algorithm, Kind::AllReduce, 100), ranks({0, 1}), plain).algorithm, Algorithm::Ring);
  EXPECT_EQ(plan(named(Algorithm::Hierarchical, Kind::AllGather, 100), ranks({0, 1, 4}), plain).algorithm,
            Algorithm::Ring);
  EXPECT_EQ(plan(named(Algorithm::TwoLevel, Kind::AllToAll, 100), ranks({0, 1, 4}), plain).algorithm,
            Algorithm::Pairwise);
  Cluster few = rich_cluster(1, 4);
  few.protocols.nvls->min_gpus = 4;
  EXPECT_EQ(plan(named(Algorithm::Nvls, Kind::AllReduce, 100), ranks({0, 1, 2}), few).algorithm, Algorithm::Ring);
  EXPECT_EQ(plan(named(Algorithm::Nvls, Kind::AllReduce, 100), ranks({0, 1, 2, 3}), few).algorithm, Algorithm::Nvls);
}

// Members of one block have its whole bandwidth, those of two the share of the block that holds both.
TEST(Blocks, SlowWhatCrossesBetweenThem) {
  Cluster cluster = test_cluster(1, 8);
  cluster.ring_exposed_steps = 0;
  cluster.protocols.blocks = {{.gpus = 2, .efficiency = 1}, {.gpus = 8, .efficiency = 0.25}};
  const auto time = [&](Kind kind, const std::vector<RankId>& group) {
    return lone_time(named(Algorithm::Auto, kind, 1e6), group, cluster).value();
  };
  EXPECT_DOUBLE_EQ(time(Kind::AllGather, ranks({2, 3})), 4 + 1.25 + 5e5 / 100);
  EXPECT_DOUBLE_EQ(time(Kind::AllGather, ranks({1, 2})), 4 + 1.25 + 5e5 / 25);
  EXPECT_DOUBLE_EQ(time(Kind::AllToAll, ranks({1, 2})), 2 + 1 + 5e5 / 25);
  EXPECT_DOUBLE_EQ(time(Kind::SendRecv, ranks({7, 0})), 2 + 1 + 1e6 / 25);
}

// Sanders, Speck, Träff 2009, section 3: whoever has children in one tree has none in the other; all but the roots have
// a parent in each.
TEST(Tree, IsTwoBinaryTreesOfAllNodes) {
  for (std::uint32_t nodes = 2; nodes < 70; ++nodes) {
    std::size_t ends = 0;
    std::size_t most = 0;
    for (std::uint32_t node = 0; node < nodes; ++node) {
      const auto neighbours = tree_neighbours(node, nodes);
      EXPECT_GE(neighbours.size(), 2u);
      EXPECT_THAT(neighbours, testing::Each(testing::AllOf(testing::Lt(nodes), testing::Ne(node))));
      ends += neighbours.size();
      most = std::max(most, neighbours.size());
    }
    EXPECT_EQ(ends, 2u * 2 * (nodes - 1)); // both ends of the edges of two trees
    EXPECT_DOUBLE_EQ(static_cast<double>(ends) / 2 / nodes, mean_tree_traffic(nodes));
    EXPECT_DOUBLE_EQ(static_cast<double>(most) / 2, most_tree_traffic(nodes)) << nodes;
  }
}

// Two nodes: each sends half of the bytes up one tree and half down the other. Latency: log2 of the nodes, not their
// number.
TEST(Tree, SendsAndTakesWhatItsFormulaSays) {
  Cluster cluster = test_cluster(2, 4);
  const auto two = load_of(communication(named(Algorithm::Tree, Kind::AllReduce, 800), block(2, 4, cluster), cluster));
  EXPECT_DOUBLE_EQ(two.at(link_of(cluster, 0, LinkKind::NicUp)), 800.0 / 4);
  EXPECT_DOUBLE_EQ(two.at(link_of(cluster, 0, LinkKind::NvlinkUp)), 2 * 800.0 * 3 / 4);
  cluster = test_cluster(8, 1);
  cluster.protocols.tree_efficiency = 0.8;
  // By Simple: 4 s, three levels up and down of 6 s, and twice the size over the NIC of the busiest at 0.8 of 10 B/s.
  EXPECT_DOUBLE_EQ(lone_time(named(Algorithm::Tree, Kind::AllReduce, 1e6), block(8, 1, cluster), cluster).value(),
                   4 + 6 * 6 + 2e6 / 8);
}

// The switch adds up n parts of the size over n, and gives everybody all of them: S (1 + 1/n) each way.
// Of four members, each reads three times the size in one shot, or twice three quarters of it in two.
TEST(CustomAllReduce, ReadsWhatOthersHaveInOneShotOrTwo) {
  const Cluster cluster = rich_cluster(2, 4);
  const auto group = ranks({0, 1, 2, 3});
  const auto time = [&](double bytes) {
    return lone_time(named(Algorithm::Custom, Kind::AllReduce, bytes), group, cluster);
  };
  EXPECT_DOUBLE_EQ(time(4).value(), 0.5 + 3 * 4 / (0.4 * 100));
  EXPECT_DOUBLE_EQ(time(40).value(), 1.5 + 1.5 * 40 / (0.5 * 100));
  const auto bytes = load_of(communication(named(Algorithm::Custom, Kind::AllReduce, 40), group, cluster));
  EXPECT_DOUBLE_EQ(bytes.at(0), 60);
}

// Engines leave to NCCL what it does faster, and what is between nodes.
TEST(CustomAllReduce, IsNeverSlowerThanNccl) {
  const Cluster cluster = rich_cluster(2, 4);
  for (double bytes = 1; bytes < 1e7; bytes *= 3)
    EXPECT_LE(lone_time(named(Algorithm::Custom, Kind::AllReduce, bytes), ranks({0, 1, 2, 3}), cluster),
              lone_time(named(Algorithm::Auto, Kind::AllReduce, bytes), ranks({0, 1, 2, 3}), cluster));
  EXPECT_EQ(plan(named(Algorithm::Custom, Kind::AllReduce, 1e6), ranks({0, 1, 2, 3}), cluster).algorithm,
            Algorithm::Nvls);
  EXPECT_NE(plan(named(Algorithm::Custom, Kind::AllReduce, 4), ranks({0, 4}), cluster).algorithm, Algorithm::Custom);
}

// Two of four experts for each token, one on each of four GPUs: one and a half of its copies go to other GPUs.
TEST(TokenExchange, SendsACopyToEachOtherGpuOfAToken) {
  const Cluster cluster = rich_cluster(1, 4);
  Call call = named(Algorithm::NvlinkOneSided, Kind::Dispatch, 16 * 2 * 10); // 16 tokens
  call.routing = {.experts = 4, .per_token = 2, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const double sent = 16 * 1.5 * 10;
  EXPECT_DOUBLE_EQ(lone_time(call, ranks({0, 1, 2, 3}), cluster).value(),
                   2 + 4 * 0.25 + 16 * 0.125 + sent / (0.5 * 100));
  EXPECT_DOUBLE_EQ(load_of(communication(call, ranks({0, 1, 2, 3}), cluster)).at(0), sent);
  EXPECT_EQ(plan(call, ranks({0, 4}), rich_cluster(2, 4)).algorithm, Algorithm::DeepEp); // between nodes
}

// Between trays what is sent takes longer; the rest does not.
TEST(TokenExchange, ReachesLessBeyondATray) {
  Cluster cluster = rich_cluster(1, 8);
  Call call = named(Algorithm::NvlinkOneSided, Kind::Dispatch, 16 * 2 * 10); // 16 tokens
  call.routing = {.experts = 8, .per_token = 2, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const auto time = [&](const std::vector<RankId>& members) { return lone_time(call, members, cluster).value(); };
  const std::vector<RankId> inside = ranks({0, 1, 2, 3});
  const std::vector<RankId> beyond = ranks({0, 1, 2, 3, 4, 5, 6, 7});
  const double inside_before = time(inside);
  const double beyond_before = time(beyond);
  cluster.protocols.nvlink_one_sided->tray = platforms::Block{4, 0.5};
  EXPECT_EQ(time(inside), inside_before);
  EXPECT_DOUBLE_EQ(time(beyond) - beyond_before, beyond_before - (2 + 8 * 0.25 + 16 * 0.125));
}

// Results are narrowed and widened: more for each token, by a kernel of its own, which a cluster may lack.
TEST(TokenExchange, CombinesInLowPrecisionByAKernelOfItsOwn) {
  Cluster cluster = rich_cluster(1, 4);
  Call call = named(Algorithm::NvlinkTwoSidedLowPrecision, Kind::Combine, 16 * 2 * 10); // 16 tokens
  call.routing = {.experts = 4, .per_token = 2, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  EXPECT_DOUBLE_EQ(lone_time(call, ranks({0, 1, 2, 3}), cluster).value(),
                   2 + 4 * 0.25 + 16 * 0.5 + 16 * 1.5 * 10 * 0.28125 / (0.5 * 100));
  Call dispatch = call;
  dispatch.kind = Kind::Dispatch; // is not narrowed
  EXPECT_DOUBLE_EQ(lone_time(dispatch, ranks({0, 1, 2, 3}), cluster).value(),
                   2 + 4 * 0.25 + 16 * 0.125 + 16 * 1.5 * 10 / (0.5 * 100));
  cluster.protocols.nvlink_two_sided->combine_low_precision.reset();
  EXPECT_EQ(plan(call, ranks({0, 1, 2, 3}), cluster).algorithm, Algorithm::DeepEp);
}

TEST(Nvls, SendsTheSizeAndItsPart) {
  const Cluster cluster = rich_cluster(2, 4);
  const auto bytes = load_of(communication(named(Algorithm::Nvls, Kind::AllReduce, 800), ranks({0, 1, 2, 3}), cluster));
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 2, LinkKind::NvlinkUp)), 1000);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 2, LinkKind::NvlinkDown)), 1000);
  EXPECT_DOUBLE_EQ(lone_time(named(Algorithm::Nvls, Kind::AllReduce, 800), ranks({0, 1, 2, 3}), cluster).value(),
                   10 + 1000 / 80.0);
}

// Each rail's part crosses each NIC once, each way: half of what trees and rings send over many nodes.
TEST(Sharp, SendsEachPartOnce) {
  const Cluster cluster = rich_cluster(4, 4);
  const auto bytes =
      load_of(communication(named(Algorithm::Sharp, Kind::AllReduce, 800), block(4, 4, cluster), cluster));
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NicUp)), 200);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NicDown)), 200);
  EXPECT_DOUBLE_EQ(lone_time(named(Algorithm::Sharp, Kind::AllReduce, 8e6), block(4, 4, cluster), cluster).value(),
                   10 + 12 + 2e6 / 9);
}

// Reduce-scatter inside, all-reduce on the rails, all-gather inside: what flat rings send over NICs for many members,
// in fewer steps.
TEST(Hierarchical, SendsPartsOnRails) {
  Cluster cluster = test_cluster(4, 4);
  cluster.ring_exposed_steps = 0;
  const auto group = block(4, 4, cluster);
  const auto bytes = load_of(communication(named(Algorithm::Hierarchical, Kind::AllReduce, 800), group, cluster));
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NicUp)), 2 * 0.75 * 200);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NvlinkUp)), 2 * 0.75 * 800);
  // By Simple: 3 steps inside, 2 x 3 between nodes, 3 inside.
  EXPECT_DOUBLE_EQ(lone_time(named(Algorithm::Hierarchical, Kind::AllReduce, 8e6), group, cluster).value(),
                   3 * 4 + 6 * 1.25 + 6 * 6 + 2 * 6e6 / 100 + 3e6 / 10);
  const auto gather = load_of(communication(named(Algorithm::Hierarchical, Kind::AllGather, 800), group, cluster));
  EXPECT_DOUBLE_EQ(gather.at(link_of(cluster, 5, LinkKind::NicUp)), 150);
  EXPECT_DOUBLE_EQ(gather.at(link_of(cluster, 5, LinkKind::NvlinkUp)), 600);
}

// Jia et al., arXiv 1807.11205, section 4.3: with k GPUs in a group a hierarchical all-reduce takes 4(k-1) + 2(n/k-1)
// steps where a ring takes 2(n-1), which wins for small tensors on many GPUs; for large ones bandwidth decides.
TEST(Hierarchical, BeatsTheFlatRingOnManyGpusForSmallTensors) {
  Cluster cluster = test_cluster(32, 8);
  const auto group = block(32, 8, cluster);
  const auto time = [&](Algorithm algorithm, double bytes) {
    return lone_time(named(algorithm, Kind::AllReduce, bytes), group, cluster);
  };
  EXPECT_LT(time(Algorithm::Hierarchical, 1000), time(Algorithm::Ring, 1000));
  EXPECT_GT(time(Algorithm::Hierarchical, 1e7), time(Algorithm::Ring, 1e7));
}

// Everybody's bytes for a node cross one NIC in one message per node, and no others.
TEST(TwoLevel, SendsByRailThenInside) {
  const Cluster cluster = test_cluster(4, 4);
  const auto group = block(4, 4, cluster);
  const auto bytes = load_of(communication(named(Algorithm::TwoLevel, Kind::AllToAll, 1600), group, cluster));
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NicUp)), 1200); // as direct
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 5, LinkKind::NvlinkUp)), 1200);
  const execution::Communication flows =
      communication(named(Algorithm::TwoLevel, Kind::AllToAll, 1600, Fidelity::Flow), group, cluster);
  EXPECT_EQ(flows.flows.size(), 16u * 3); // between nodes
  ASSERT_EQ(flows.then.size(), 1u);
  EXPECT_EQ(flows.then[0].flows.size(), 16u * 3); // inside
}

// Everybody but the root receives the size once, whichever member that is.
TEST(Broadcast, ReachesEverybodyOnce) {
  const Cluster cluster = test_cluster(4, 4);
  for (auto group : groups()) {
    std::swap(group.front(), group.back());
    const auto bytes = load_of(communication(named(Algorithm::Auto, Kind::Broadcast, 840), group, cluster));
    const auto received = [&](RankId rank) {
      double sum = 0;
      for (const LinkKind kind : {LinkKind::NvlinkDown, LinkKind::NicDown})
        if (const auto entry = bytes.find(link_of(cluster, rank.value(), kind)); entry != bytes.end())
          sum += entry->second;
      return sum;
    };
    double sum = 0;
    for (const RankId rank : group)
      sum += received(rank);
    EXPECT_NEAR(sum, 840 * static_cast<double>(group.size() - 1), 1e-6);
    EXPECT_EQ(received(group.front()), 0);
  }
}

} // namespace
} // namespace moesim::cost
