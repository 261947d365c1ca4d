#include "simulator/cost/cost_table.hpp"

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

// One kernel of 500 bytes on each of two ranks, then an all-gather of both.
graph::TaskGraph two_ranks(graph::Phase phase = graph::Phase::Forward) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 2;
  parts.names = {"x"};
  Operator op;
  op.bytes = Bytes(500);
  parts.works.resize(2);
  parts.works[0].operators = {op, op};
  parts.works[0].bytes = Bytes(1000);
  parts.works[1].bytes = Bytes(200);
  parts.groups = {{RankId(0), RankId(1)}};
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    graph::Task kernel;
    kernel.place = rank;
    kernel.phase = phase;
    parts.tasks.push_back(kernel);
    parts.edges.emplace_back(rank, 2);
  }
  graph::Task gather;
  gather.kind = graph::Kind::AllGather;
  gather.stream = graph::Stream::Tp;
  gather.work = 1;
  parts.tasks.push_back(gather);
  return graph::TaskGraph(std::move(parts));
}

TEST(CostTable, AddsUpTheKernelsAndTheirLaunches) {
  platforms::Cluster cluster = test_cluster(1, 2);
  cluster.gpu.launch_overhead = Seconds(0.25);
  const execution::Costs costs = cost_table(two_ranks(), cluster);
  EXPECT_EQ(costs.of_task[0], costs.of_task[1]); // alike, so worked out once
  EXPECT_DOUBLE_EQ(costs.durations.at(costs.of_task[0]).value(), 2 * (0.25 + 0.5));
  // By LL: 2 s to start and one step, the flow of 1 s once more for the flags, and half a step, twice.
  EXPECT_EQ(costs.communications.at(costs.of_task[2]).latency, Seconds(2 + 1 + 1 + 2 * 0.5));
}

// What the host does between two iterations follows the optimizer's step, and no other kernel.
TEST(CostTable, TheHostWorksBetweenIterations) {
  const LaunchTimes launch{.step = Seconds(7)};
  const execution::Costs plain = cost_table(two_ranks(), test_cluster(1, 2));
  const execution::Costs costs = cost_table(two_ranks(graph::Phase::Optimizer), test_cluster(1, 2), {}, launch);
  const auto time = [](const execution::Costs& of) { return of.durations.at(of.of_task[0]); };
  EXPECT_EQ(time(costs), time(plain) + launch.step);
  EXPECT_EQ(time(cost_table(two_ranks(), test_cluster(1, 2), {}, launch)), time(plain));
}

// 10 s of kernels are launched in 1 s: their lead hides the 3 s that a backward of 1 s takes to launch, unless the host
// waits for the pass.
TEST(CostTable, ALeadEndsWhereTheHostWaitsForAPass) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 1;
  parts.names = {"x"};
  parts.works.resize(2);
  for (const std::size_t pass : {0u, 1u}) {
    Operator op;
    op.bytes = Bytes(pass == 0 ? 10000 : 1000);
    op.pass = pass == 0 ? Pass::Forward : Pass::Backward;
    parts.works[pass].operators = {op};
    graph::Task task;
    task.work = static_cast<std::uint32_t>(pass);
    task.phase = pass == 0 ? graph::Phase::Forward : graph::Phase::Backward;
    parts.tasks.push_back(task);
  }
  parts.edges.emplace_back(0, 1);
  const graph::TaskGraph graph(std::move(parts));
  const auto backward = [&](bool waits) {
    const LaunchTimes launch{.forward = Seconds(1), .backward = Seconds(3), .waits_for_passes = waits};
    const execution::Costs costs = cost_table(graph, test_cluster(1, 1), {}, launch);
    return costs.durations.at(costs.of_task[1]);
  };
  EXPECT_EQ(backward(false), Seconds(1));
  EXPECT_EQ(backward(true), Seconds(3));
}

TEST(CostTable, ASlowGpuTakesLonger) {
  platforms::Cluster cluster = test_cluster(1, 2);
  cluster.slow_gpus = {{.gpu = 1, .speed = 0.5}};
  const execution::Costs costs = cost_table(two_ranks(), cluster);
  EXPECT_DOUBLE_EQ(costs.durations.at(costs.of_task[0]).value(), 1);
  EXPECT_DOUBLE_EQ(costs.durations.at(costs.of_task[1]).value(), 2);
}

// Each stream holds what the GPU says of its dimension; the four of the pipeline the same.
TEST(CostTable, StreamsHoldMultiprocessors) {
  platforms::Cluster cluster = test_cluster(1, 2);
  EXPECT_EQ(cost_table(two_ranks(), cluster).multiprocessors.taken, execution::Multiprocessors{}.taken);
  cluster.gpu.multiprocessors = 100;
  cluster.gpu.communication = {.tp = 1, .cp = 2, .ep = 3, .dp = 4, .pp = 5};
  const execution::Multiprocessors processors = cost_table(two_ranks(), cluster).multiprocessors;
  EXPECT_EQ(processors.all, 100u);
  EXPECT_EQ(processors.taken, (std::array<std::uint32_t, graph::stream_count>{0, 1, 2, 3, 4, 5, 5, 5, 5}));
}

TEST(CostTable, ADegradedLinkKeepsItsPlaceWithLessBandwidth) {
  platforms::Cluster cluster = test_cluster(1, 2);
  const std::uint32_t link = platforms::link_of(test_cluster(1, 1), 1, platforms::LinkKind::NvlinkDown);
  cluster.degraded_links = {{.link = link, .bandwidth_factor = 0.25}};
  const execution::Costs costs = cost_table(two_ranks(), cluster);
  ASSERT_EQ(costs.links.size(), 8u);
  EXPECT_EQ(costs.links[link].name, "node0.nvlink1.down");
  EXPECT_EQ(costs.links[link].capacity, BytesPerSecond(25));
  EXPECT_EQ(costs.links[link - 1].capacity, BytesPerSecond(100));
}

} // namespace
} // namespace moesim::cost
