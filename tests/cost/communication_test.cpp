#include "simulator/cost/communication.hpp"

#include <map>

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

using execution::Communication;
using graph::Kind;
using platforms::LinkKind;

// Test clusters number their links alike.
std::uint32_t link_of(std::uint32_t gpu, LinkKind kind) {
  return platforms::link_of(test_cluster(1, 1), gpu, kind);
}

std::vector<RankId> ranks(std::initializer_list<std::uint32_t> values) {
  std::vector<RankId> result;
  for (const std::uint32_t value : values)
    result.emplace_back(value);
  return result;
}

Communication ring(Call call, const std::vector<RankId>& members, const platforms::Cluster& cluster) {
  call.algorithm = Algorithm::Ring;
  return communication(call, members, cluster);
}

// Bytes over each link, up links and down links alike.
std::map<std::uint32_t, double> load(const Communication& communication) {
  std::map<std::uint32_t, double> bytes;
  for (const execution::Flow& flow : communication.flows)
    for (const execution::Crossing& crossing : flow.route)
      bytes[crossing.link] += flow.bytes.value();
  return bytes;
}

TEST(Communication, RingInsideANodeMovesWhatItsFormulaSays) {
  const platforms::Cluster cluster = test_cluster(1, 4);
  const Communication gather = ring({Kind::AllGather, Bytes(400)}, ranks({0, 1, 2, 3}), cluster);
  EXPECT_EQ(gather.latency, Seconds(4 + 3 * 1.25 + 0.5)); // n - 1 steps by Simple, half of one (100 B) not hidden
  ASSERT_EQ(gather.flows.size(), 4u);
  for (std::uint32_t gpu = 0; gpu < 4; ++gpu) { // (n - 1) / n of the size, from each
    EXPECT_DOUBLE_EQ(load(gather)[link_of(gpu, LinkKind::NvlinkUp)], 300);
    EXPECT_DOUBLE_EQ(load(gather)[link_of(gpu, LinkKind::NvlinkDown)], 300);
  }
  const Communication reduce = ring({Kind::AllReduce, Bytes(400)}, ranks({0, 1, 2, 3}), cluster);
  EXPECT_EQ(reduce.latency, Seconds(4 + 6 * 1.25 + 0.5));
  EXPECT_DOUBLE_EQ(load(reduce)[link_of(0, LinkKind::NvlinkUp)], 600);
}

// Where nothing says otherwise a ring takes its steps and its bytes, no more.
TEST(Communication, RingIsTheTextbooksUnlessTheClusterSaysMore) {
  platforms::Cluster cluster = test_cluster(1, 4);
  cluster.ring_exposed_steps = 0;
  cluster.nvlink.simple_latency = cluster.nvlink.latency;
  cluster.simple_collective_latency = cluster.collective_latency;
  EXPECT_EQ(ring({Kind::AllReduce, Bytes(400)}, ranks({0, 1, 2, 3}), cluster).latency, Seconds(2 + 2 * 3 * 1));
}

// Small messages go by LL, whose flags double what is sent.
TEST(Communication, SmallMessagesTakeTheFasterStart) {
  const platforms::Cluster cluster = test_cluster(1, 4);
  const Communication gather = ring({Kind::AllGather, Bytes(4)}, ranks({0, 1, 2, 3}), cluster);
  EXPECT_DOUBLE_EQ(gather.latency.value(), 2 + 3 * 1 + 0.035 + 0.005); // LL: the 0.03 s of data and half a step, twice
  EXPECT_DOUBLE_EQ(load(gather)[link_of(0, LinkKind::NvlinkUp)], 3);
  const Communication exchange = communication({Kind::AllToAll, Bytes(4)}, ranks({0, 1, 2, 3}), cluster);
  EXPECT_DOUBLE_EQ(exchange.latency.value(), 2 + 1); // nothing is said of sends here: one step, at full bandwidth
}

TEST(Communication, RingOverNodesSharesTheBoundaryAmongTheRails) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  const Communication gather = ring({Kind::AllGather, Bytes(800)}, ranks({0, 1, 2, 3, 4, 5, 6, 7}), cluster);
  // 7 steps, one of them between nodes, and half of a step of 25 B over the NICs, the slower tier
  EXPECT_EQ(gather.latency, Seconds(4 + 6 * 1.25 + 1 * 6 + 1.25));
  const auto bytes = load(gather);
  for (std::uint32_t gpu = 0; gpu < 8; ++gpu) {
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicUp)), 700.0 / 4);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicDown)), 700.0 / 4);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkUp)), 700.0 * 3 / 4);
  }
}

TEST(Communication, RingOfOneGpuANodeUsesNicsOnly) {
  const Communication gather = ring({Kind::ReduceScatter, Bytes(300)}, ranks({1, 5, 9}), test_cluster(3, 4));
  EXPECT_EQ(gather.latency, Seconds(4 + 2 * 6 + 5));
  EXPECT_EQ(gather.flows.size(), 3u);
  EXPECT_DOUBLE_EQ(load(gather)[link_of(5, LinkKind::NicUp)], 200);
  EXPECT_DOUBLE_EQ(load(gather)[link_of(9, LinkKind::NicDown)], 200);
}

// Every member sends n - 1 parts; those for its own node over NVLink.
TEST(Communication, AllToAllSplitsByPlace) {
  const Communication exchange =
      communication({Kind::AllToAll, Bytes(800)}, ranks({0, 1, 2, 3, 4, 5, 6, 7}), test_cluster(2, 4));
  EXPECT_EQ(exchange.latency, Seconds(2 + 5)); // all messages at once
  const auto bytes = load(exchange);
  for (std::uint32_t gpu = 0; gpu < 8; ++gpu) {
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkUp)), 300);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkDown)), 300);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicUp)), 400);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicDown)), 400);
  }
}

// What one member suffers does not reach the next through the order of a ring: groups of which one member differs fall
// into two kinds of members, not into as many as there are.
TEST(Communication, AMemberSendsAndReceivesOverItsOwnLinks) {
  for (const Kind kind : {Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll, Kind::RingExchange})
    for (const execution::Flow& flow :
         communication({kind, Bytes(840)}, ranks({0, 1, 4, 8, 9, 10}), test_cluster(3, 4)).flows)
      for (const execution::Crossing& crossing : flow.route)
        EXPECT_EQ(crossing.link / 4, flow.route[0].link / 4); // four links a GPU
}

// Three members on a node and one on another: each receives as much as it sends, the one over its only NIC.
TEST(Communication, UnevenNodesReceiveWhatTheyAreSent) {
  const auto gather = load(ring({Kind::AllGather, Bytes(400)}, ranks({0, 1, 2, 4}), test_cluster(2, 4)));
  EXPECT_DOUBLE_EQ(gather.at(link_of(4, LinkKind::NicDown)), 300);
  EXPECT_DOUBLE_EQ(gather.at(link_of(1, LinkKind::NicDown)), 100);
  const auto exchange = load(communication({Kind::AllToAll, Bytes(400)}, ranks({0, 1, 2, 4}), test_cluster(2, 4)));
  EXPECT_DOUBLE_EQ(exchange.at(link_of(4, LinkKind::NicDown)), 300);
  EXPECT_DOUBLE_EQ(exchange.at(link_of(1, LinkKind::NicDown)), 100);
}

TEST(Communication, SendRecvTakesTheTierBetweenItsEnds) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  const Communication near = communication({Kind::SendRecv, Bytes(100)}, ranks({0, 3}), cluster);
  EXPECT_EQ(near.latency, Seconds(3));
  EXPECT_EQ(near.flows.at(0).route.at(0).link, link_of(0, LinkKind::NvlinkUp));
  EXPECT_EQ(near.flows.at(0).route.at(1).link, link_of(3, LinkKind::NvlinkDown));
  const Communication far = communication({Kind::SendRecv, Bytes(100)}, ranks({0, 4}), cluster);
  EXPECT_EQ(far.latency, Seconds(7));
  EXPECT_EQ(far.flows.at(0).route.at(0).link, link_of(0, LinkKind::NicUp));
  EXPECT_EQ(far.flows.at(0).route.at(1).link, link_of(4, LinkKind::NicDown));
}

TEST(Communication, NothingToSendOrNobodyToSendToIsFree) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  for (const Kind kind : {Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll}) {
    EXPECT_EQ(communication({kind, Bytes(100)}, ranks({3}), cluster).latency, Seconds(0));
    EXPECT_TRUE(communication({kind, Bytes(0)}, ranks({0, 1}), cluster).flows.empty());
  }
}

// What leaves through up links arrives through down links, whatever the kind and the group.
TEST(Communication, SendsWhatItReceives) {
  const platforms::Cluster cluster = test_cluster(4, 4);
  for (const Kind kind : {Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll}) {
    for (const auto& group : {ranks({0, 1}), ranks({0, 5}), ranks({0, 1, 2, 4}), ranks({0, 4, 5, 12, 13, 14, 15})}) {
      const Communication result = communication({kind, Bytes(840)}, group, cluster);
      double sent = 0;
      double received = 0;
      for (const auto& [link, bytes] : load(result))
        (link % 2 == 0 ? sent : received) += bytes;
      EXPECT_DOUBLE_EQ(sent, received);
      EXPECT_GT(sent, 0);
    }
  }
}

// Neighbours in a node talk over NVLink, across the boundary over NICs, all at once.
TEST(Communication, RingExchangeIsOneMessageFromEachToTheNext) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  const Communication exchange = communication({Kind::RingExchange, Bytes(800)}, ranks({2, 3, 4, 5}), cluster);
  EXPECT_EQ(exchange.latency, Seconds(2 + 5));
  const auto bytes = load(exchange);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(2, LinkKind::NvlinkUp)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(3, LinkKind::NicUp)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(4, LinkKind::NicDown)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(2, LinkKind::NicDown)), 800); // from the last
  EXPECT_FALSE(bytes.contains(link_of(2, LinkKind::NicUp)));
}

} // namespace
} // namespace moesim::cost
