// DeepEP's kernels: how many copies of a token go where, and what limits them.
#include <cmath>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "tests/cost/test_cluster.hpp"
#include "tests/cost/test_group.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;
using platforms::Cluster;
using platforms::LinkKind;

Call dispatch(graph::TokenRouting routing, double tokens, Algorithm algorithm = Algorithm::DeepEp,
              Kind kind = Kind::Dispatch) {
  return {.kind = kind, .size = tokens * routing.per_token * routing.token, .routing = routing, .algorithm = algorithm};
}

double binomial(int of, int chosen) {
  return std::exp(std::lgamma(of + 1) - std::lgamma(chosen + 1) - std::lgamma(of - chosen + 1));
}

// Top 3 of 16 experts, two on each of 8 GPUs: the expected numbers of different GPUs and nodes that a token goes to are
// n (1 - C(16 - 16/n, 3) / C(16, 3)).
TEST(DeepEp, EachTokenCrossesOnceToEachNodeAndIsFannedOut) {
  const Cluster cluster = test_cluster(2, 4);
  const graph::TokenRouting routing{
      .experts = 16, .per_token = 3, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const double gpus = 8 * (1 - binomial(14, 3) / binomial(16, 3));
  const double nodes = 2 * (1 - binomial(8, 3) / binomial(16, 3));
  for (const Kind kind : {Kind::Dispatch, Kind::Combine}) {
    const auto bytes =
        load_of(communication(dispatch(routing, 100, Algorithm::DeepEp, kind), block(2, 4, cluster), cluster));
    // half of the nodes are others, and one of four copies is where the NIC is
    EXPECT_NEAR(bytes.at(link_of(cluster, 3, LinkKind::NicUp)), 100 * 10 * nodes / 2, 1e-9);
    EXPECT_NEAR(bytes.at(link_of(cluster, 3, LinkKind::NicDown)), 100 * 10 * nodes / 2, 1e-9);
    EXPECT_NEAR(bytes.at(link_of(cluster, 3, LinkKind::NvlinkUp)), 100 * 10 * gpus * 3 / 4, 1e-9);
  }
}

// Where the expert groups are the nodes, tokens go to no more nodes than groups; DeepSeek-V3: 4 of 8.
TEST(DeepEp, NodeLimitedRoutingLimitsTheNodes) {
  const Cluster cluster = test_cluster(8, 4);
  graph::TokenRouting routing{.experts = 256, .per_token = 8, .groups = 8, .groups_per_token = 4, .token = Bytes(10)};
  const auto nic = [&] {
    return load_of(communication(dispatch(routing, 100), block(8, 4, cluster), cluster))
        .at(link_of(cluster, 0, LinkKind::NicUp));
  };
  const double limited = 4 * (1 - binomial(96, 8) / binomial(128, 8));
  EXPECT_NEAR(nic(), 100 * 10 * limited * 7 / 8, 1e-6);
  routing.groups_per_token = 8;
  EXPECT_NEAR(nic(), 100 * 10 * 8 * (1 - binomial(224, 8) / binomial(256, 8)) * 7 / 8, 1e-6);
  routing = {.experts = 256, .per_token = 8, .groups = 16, .groups_per_token = 16, .token = Bytes(10)};
  EXPECT_NEAR(nic(), 100 * 10 * 8 * (1 - binomial(224, 8) / binomial(256, 8)) * 7 / 8, 1e-6); // two groups a node
}

// Whatever is beyond a leaf crosses its trunks, as much in a few flows as pair by pair.
TEST(DeepEp, TrunksCarryWhatThePairsBeyondThemSend) {
  platforms::Cluster cluster = test_cluster(8, 2);
  cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 4};
  const std::vector<RankId> members = block(8, 2, cluster);
  for (const auto& [kind, algorithm] :
       {std::pair(Kind::Dispatch, Algorithm::DeepEp), std::pair(Kind::Combine, Algorithm::DeepEp),
        std::pair(Kind::AllToAll, Algorithm::TwoLevel)}) {
    Call call{.kind = kind,
              .size = Bytes(6400),
              .routing = {.experts = 32, .per_token = 4, .token = Bytes(1)},
              .algorithm = algorithm,
              .fidelity = Fidelity::Flow};
    const auto pairs = load_of(communication(call, members, cluster));
    call.fidelity = Fidelity::Fluid;
    const auto members_only = load_of(communication(call, members, cluster));
    ASSERT_EQ(pairs.size(), members_only.size());
    for (const auto& [link, bytes] : pairs)
      EXPECT_NEAR(members_only.at(link), bytes, 1e-9 * bytes) << name_of(kind) << ' ' << link_name(cluster, link);
  }
}

// A combine is the dispatch the other way, also where nodes differ.
TEST(DeepEp, CombineTakesTheWayBack) {
  const Cluster cluster = test_cluster(2, 4);
  const graph::TokenRouting routing{
      .experts = 20, .per_token = 3, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const auto group = ranks({0, 1, 2, 3, 4});
  const auto there = load_of(communication(dispatch(routing, 100), group, cluster));
  const auto back = load_of(communication(dispatch(routing, 100, Algorithm::DeepEp, Kind::Combine), group, cluster));
  for (const std::uint32_t gpu : {0u, 4u}) {
    EXPECT_DOUBLE_EQ(there.at(link_of(cluster, gpu, LinkKind::NicUp)),
                     back.at(link_of(cluster, gpu, LinkKind::NicDown)));
    EXPECT_DOUBLE_EQ(there.at(link_of(cluster, gpu, LinkKind::NicDown)),
                     back.at(link_of(cluster, gpu, LinkKind::NicUp)));
  }
  EXPECT_GT(there.at(link_of(cluster, 4, LinkKind::NicDown)),
            there.at(link_of(cluster, 4, LinkKind::NicUp))); // four send to its experts
}

// Where neither NICs nor NVLink limit, the multiprocessors do: half of them take twice as long.
TEST(DeepEp, MultiprocessorsLimitWhatLinksDoNot) {
  Cluster cluster = test_cluster(1, 4);
  cluster.protocols.deepep.dispatch = {
      .latency = Seconds(3), .token = Seconds(0.5), .bandwidth = BytesPerSecond(20), .relays = 1};
  cluster.gpu.communication.ep = 2;
  const graph::TokenRouting routing{
      .experts = 4, .per_token = 4, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const auto time = [&] { return lone_time(dispatch(routing, 1000), block(1, 4, cluster), cluster).value(); };
  // a token costs 0.5 s and four copies of 10 B at 20 B/s, on one of two
  EXPECT_DOUBLE_EQ(time(), 3 + 1000 * (0.5 + 4 * 10 / 20.0) / 2);
  cluster.gpu.communication.ep = 1;
  EXPECT_DOUBLE_EQ(time(), 3 + 1000 * (0.5 + 4 * 10 / 20.0));
  cluster.gpu.communication.ep = 0; // not said: only NVLink, three of four copies
  EXPECT_DOUBLE_EQ(time(), 3 + 1000 * 4 * 0.75 * 10 / 100.0);
}

// Every copy by itself: what all-to-all sends.
TEST(DeepEp, LowLatencySendsEveryCopy) {
  Cluster cluster = test_cluster(2, 4);
  cluster.protocols.deepep.low_latency_dispatch = {.latency = Seconds(1),
                                                   .nic_latency = Seconds(2),
                                                   .expert = Seconds(0.25),
                                                   .token = Seconds(),
                                                   .nvlink_efficiency = 1,
                                                   .nic_efficiency = 0.5};
  const graph::TokenRouting routing{
      .experts = 16, .per_token = 3, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const Call call = dispatch(routing, 8, Algorithm::DeepEpLowLatency);
  const auto bytes = load_of(communication(call, block(2, 4, cluster), cluster));
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 0, LinkKind::NicUp)), 8 * 3 * 10 * 4 / 8);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(cluster, 0, LinkKind::NvlinkUp)), 8 * 3 * 10 * 3 / 8);
  EXPECT_DOUBLE_EQ(lone_time(call, block(2, 4, cluster), cluster).value(), 1 + 2 + 2 * 0.25 + 120 / 5.0);
}

// Few tokens go by the low-latency kernels, many by those that send less.
TEST(DeepEp, TheFasterKernelsAreChosen) {
  Cluster cluster = test_cluster(4, 4);
  cluster.protocols.deepep.dispatch.latency = Seconds(30);
  cluster.protocols.deepep.low_latency_dispatch.latency = Seconds(10);
  const graph::TokenRouting routing{
      .experts = 64, .per_token = 8, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};
  const auto chosen = [&](double tokens) {
    return plan(dispatch(routing, tokens, Algorithm::Auto), block(4, 4, cluster), cluster).algorithm;
  };
  EXPECT_EQ(chosen(1), Algorithm::DeepEpLowLatency);
  EXPECT_EQ(chosen(1000), Algorithm::DeepEp);
}

} // namespace
} // namespace moesim::cost
