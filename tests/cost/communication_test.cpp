#include "simulator/cost/communication.hpp"

#include <map>

#include <gmock/gmock.h>

#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

using execution::Communication;
using graph::Kind;
using platforms::link_of;
using platforms::LinkKind;

std::vector<RankId> ranks(std::initializer_list<std::uint32_t> values) {
  std::vector<RankId> result;
  for (const std::uint32_t value : values)
    result.emplace_back(value);
  return result;
}

// Bytes over each link, up links and down links alike.
std::map<std::uint32_t, double> load(const Communication& communication) {
  std::map<std::uint32_t, double> bytes;
  for (const execution::Flow& flow : communication.flows) {
    bytes[flow.from_link] += flow.bytes.value();
    bytes[flow.to_link] += flow.bytes.value();
  }
  return bytes;
}

TEST(Communication, RingInsideANodeMovesWhatItsFormulaSays) {
  const platforms::Cluster cluster = test_cluster(1, 4);
  const Communication gather = ring(Kind::AllGather, Bytes(400), ranks({0, 1, 2, 3}), cluster);
  EXPECT_EQ(gather.latency, Seconds(2 + 3 * 1)); // n - 1 steps
  ASSERT_EQ(gather.flows.size(), 4u);
  for (std::uint32_t gpu = 0; gpu < 4; ++gpu) { // (n - 1) / n of the size, from each
    EXPECT_DOUBLE_EQ(load(gather)[link_of(gpu, LinkKind::NvlinkUp)], 300);
    EXPECT_DOUBLE_EQ(load(gather)[link_of(gpu, LinkKind::NvlinkDown)], 300);
  }
  const Communication reduce = ring(Kind::AllReduce, Bytes(400), ranks({0, 1, 2, 3}), cluster);
  EXPECT_EQ(reduce.latency, Seconds(2 + 6 * 1));
  EXPECT_DOUBLE_EQ(load(reduce)[link_of(0, LinkKind::NvlinkUp)], 600);
}

TEST(Communication, RingOverNodesSharesTheBoundaryAmongTheRails) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  const Communication gather = ring(Kind::AllGather, Bytes(800), ranks({0, 1, 2, 3, 4, 5, 6, 7}), cluster);
  EXPECT_EQ(gather.latency, Seconds(2 + 6 * 1 + 1 * 5)); // 7 steps, one of them between nodes
  const auto bytes = load(gather);
  for (std::uint32_t gpu = 0; gpu < 8; ++gpu) {
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicUp)), 700.0 / 4);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicDown)), 700.0 / 4);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkUp)), 700.0 * 3 / 4);
  }
}

TEST(Communication, RingOfOneGpuANodeUsesNicsOnly) {
  const Communication gather = ring(Kind::ReduceScatter, Bytes(300), ranks({1, 5, 9}), test_cluster(3, 4));
  EXPECT_EQ(gather.latency, Seconds(2 + 2 * 5));
  EXPECT_EQ(gather.flows.size(), 3u);
  EXPECT_DOUBLE_EQ(load(gather)[link_of(5, LinkKind::NicUp)], 200);
  EXPECT_DOUBLE_EQ(load(gather)[link_of(9, LinkKind::NicDown)], 200);
}

// Every member sends n - 1 parts; those for its own node over NVLink.
TEST(Communication, AllToAllSplitsByPlace) {
  const Communication exchange = direct_all_to_all(Bytes(800), ranks({0, 1, 2, 3, 4, 5, 6, 7}), test_cluster(2, 4));
  EXPECT_EQ(exchange.latency, Seconds(2 + 5));
  const auto bytes = load(exchange);
  for (std::uint32_t gpu = 0; gpu < 8; ++gpu) {
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkUp)), 300);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NvlinkDown)), 300);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicUp)), 400);
    EXPECT_DOUBLE_EQ(bytes.at(link_of(gpu, LinkKind::NicDown)), 400);
  }
}

// A partner has the same place in another node: traffic never becomes a chain that stays inside one node.
TEST(Communication, FlowsBetweenNodesStayOnTheirRail) {
  const Communication exchange = direct_all_to_all(Bytes(8), ranks({0, 1, 4, 5, 8, 9}), test_cluster(3, 4));
  std::size_t between_nodes = 0;
  for (const execution::Flow& flow : exchange.flows) {
    if (flow.from_link % platforms::links_per_gpu != static_cast<std::uint32_t>(LinkKind::NicUp))
      continue;
    ++between_nodes;
    const std::uint32_t from = flow.from_link / platforms::links_per_gpu;
    const std::uint32_t to = flow.to_link / platforms::links_per_gpu;
    EXPECT_EQ(from % 4, to % 4);
    EXPECT_NE(from / 4, to / 4);
  }
  EXPECT_EQ(between_nodes, 6u);
}

TEST(Communication, SendRecvTakesTheTierBetweenItsEnds) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  const Communication near = send_recv(Bytes(100), RankId(0), RankId(3), cluster);
  EXPECT_EQ(near.latency, Seconds(3));
  EXPECT_EQ(near.flows.at(0).from_link, link_of(0, LinkKind::NvlinkUp));
  EXPECT_EQ(near.flows.at(0).to_link, link_of(3, LinkKind::NvlinkDown));
  const Communication far = send_recv(Bytes(100), RankId(0), RankId(4), cluster);
  EXPECT_EQ(far.latency, Seconds(7));
  EXPECT_EQ(far.flows.at(0).from_link, link_of(0, LinkKind::NicUp));
  EXPECT_EQ(far.flows.at(0).to_link, link_of(4, LinkKind::NicDown));
}

TEST(Communication, NothingToSendOrNobodyToSendToIsFree) {
  const platforms::Cluster cluster = test_cluster(2, 4);
  for (const Kind kind : {Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll}) {
    EXPECT_EQ(communication(kind, Bytes(100), ranks({3}), cluster).latency, Seconds(0));
    EXPECT_TRUE(communication(kind, Bytes(0), ranks({0, 1}), cluster).flows.empty());
  }
}

// What leaves through up links arrives through down links, whatever the kind and the group.
TEST(Communication, SendsWhatItReceives) {
  const platforms::Cluster cluster = test_cluster(4, 4);
  for (const Kind kind : {Kind::AllReduce, Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll}) {
    for (const auto& group : {ranks({0, 1}), ranks({0, 5}), ranks({0, 1, 2, 4}), ranks({0, 4, 5, 12, 13, 14, 15})}) {
      const Communication result = communication(kind, Bytes(840), group, cluster);
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
  const Communication exchange = ring_exchange(Bytes(800), ranks({2, 3, 4, 5}), cluster);
  EXPECT_EQ(exchange.latency, Seconds(2 + 5));
  ASSERT_EQ(exchange.flows.size(), 4u);
  const auto bytes = load(exchange);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(2, LinkKind::NvlinkUp)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(3, LinkKind::NicUp)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(4, LinkKind::NicDown)), 800);
  EXPECT_DOUBLE_EQ(bytes.at(link_of(2, LinkKind::NicDown)), 800); // from the last
  EXPECT_FALSE(bytes.contains(link_of(2, LinkKind::NicUp)));
}

} // namespace
} // namespace moesim::cost
