// Collectives by themselves: the closed forms of simulator/cost, and nccl-tests' counting.
#include <gtest/gtest.h>

#include "simulator/run/lone_collective.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::run {
namespace {

using graph::Kind;

// A ring of 4 in one node: 3 steps of 1 s after 2 s, and 3/4 of the size over links of 100 B/s, half a step of which
// is exposed (LL takes the flows' time twice; that is less than the Simple protocol's latency of 4 s + 3 x 1.25 s).
TEST(LoneCollective, OneSizeTakesItsClosedForm) {
  LoneCollective collective{.kind = Kind::AllGather, .group = 4, .sizes = {Bytes(400)}};
  const double moved = 400 * 3.0 / 4 / 100;
  const double transfer = moved * (1 + 0.5 / 3);
  const double simple = 4 + 3 * 1.25 + transfer;
  const double ll = 2 + 3 * 1 + 2 * transfer;
  for (const auto fidelity : {cost::Fidelity::Fluid, cost::Fidelity::Analytic}) {
    collective.fidelity = fidelity;
    const std::vector<LoneTime> times = times_alone(collective, cost::test_cluster(1, 4));
    ASSERT_EQ(times.size(), 1U);
    EXPECT_NEAR(times[0].time.value(), std::min(simple, ll), 1e-9);
    EXPECT_EQ(times[0].algorithm, cost::Algorithm::Ring);
  }
}

// Each size runs when the one before has ended, so that none is slowed.
TEST(LoneCollective, SizesDoNotMeet) {
  LoneCollective collective{.kind = Kind::AllToAll, .group = 8, .sizes = {Bytes(80), Bytes(8e4), Bytes(800)}};
  const std::vector<LoneTime> together = times_alone(collective, cost::test_cluster(2, 4));
  collective.fidelity = cost::Fidelity::Analytic;
  const std::vector<LoneTime> idle = times_alone(collective, cost::test_cluster(2, 4));
  ASSERT_EQ(together.size(), 3U);
  for (std::size_t at = 0; at < together.size(); ++at)
    EXPECT_NEAR(together[at].time / idle[at].time, 1, 1e-9) << at;
}

TEST(LoneCollective, AlgorithmIsTheOneAskedFor) {
  for (const auto algorithm : {cost::Algorithm::Direct, cost::Algorithm::Pairwise}) {
    const LoneCollective collective{.kind = Kind::AllToAll,
                                    .group = 4,
                                    .sizes = {Bytes(1e6)},
                                    .algorithm = algorithm,
                                    .fidelity = cost::Fidelity::Analytic};
    EXPECT_EQ(times_alone(collective, cost::test_cluster(1, 4)).at(0).algorithm, algorithm);
  }
}

// NVIDIA/nccl-tests, doc/PERFORMANCE.md.
TEST(LoneCollective, BusBandwidthCountsAsNcclTests) {
  EXPECT_DOUBLE_EQ(bus_factor(Kind::AllReduce, 8), 1.75);
  for (const Kind kind : {Kind::AllGather, Kind::ReduceScatter, Kind::AllToAll})
    EXPECT_DOUBLE_EQ(bus_factor(kind, 8), 0.875);
  for (const Kind kind : {Kind::Broadcast, Kind::SendRecv, Kind::RingExchange})
    EXPECT_DOUBLE_EQ(bus_factor(kind, 8), 1);
}

} // namespace
} // namespace moesim::run
