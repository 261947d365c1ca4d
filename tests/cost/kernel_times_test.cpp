#include "simulator/cost/kernel_times.hpp"

#include <vector>

#include <gmock/gmock.h>

#include "simulator/cost/cost_table.hpp"
#include "tests/cost/test_cluster.hpp"

namespace moesim::cost {
namespace {

Operator kernel(double bytes, Pass pass, std::int64_t launches = 1) {
  Operator op;
  op.bytes = Bytes(bytes);
  op.pass = pass;
  op.launches = launches;
  return op;
}

// The GPU moves 1,000 bytes a second.
double time_of(const std::vector<Operator>& operators, const LaunchTimes& launch, double speed = 1) {
  return kernel_times(operators, test_cluster(1, 2).gpu, launch).at(speed).value();
}

TEST(KernelTimes, LongKernelsHideTheirLaunches) {
  const std::vector<Operator> kernels{kernel(2000, Pass::Forward), kernel(1000, Pass::Forward)};
  EXPECT_DOUBLE_EQ(time_of(kernels, {}), 3);
  EXPECT_DOUBLE_EQ(time_of(kernels, {.forward = Seconds(1.4), .backward = Seconds(9)}), 3);
}

// The host is ahead of the second kernel by then, whichever comes first.
TEST(KernelTimes, ShortOnesTakeAsLongAsTheHost) {
  const LaunchTimes launch{.forward = Seconds(2), .backward = Seconds(0.5)};
  EXPECT_DOUBLE_EQ(time_of({kernel(2000, Pass::Forward), kernel(1000, Pass::Forward)}, launch), 4);
  EXPECT_DOUBLE_EQ(time_of({kernel(1000, Pass::Forward), kernel(2000, Pass::Forward)}, launch), 4);
  EXPECT_DOUBLE_EQ(time_of({kernel(100, Pass::Forward), kernel(100, Pass::Backward)}, launch), 2.5);
}

TEST(KernelTimes, EachExpertIsALaunchAndAGraphNone) {
  const LaunchTimes launch{.forward = Seconds(2), .backward = Seconds(1)};
  EXPECT_DOUBLE_EQ(time_of({kernel(1000, Pass::Forward, 8)}, launch), 16);
  EXPECT_DOUBLE_EQ(time_of({kernel(1000, Pass::Forward, 0)}, launch), 1);
}

TEST(KernelTimes, ASlowGpuHasTheSameHost) {
  const LaunchTimes launch{.forward = Seconds(2), .backward = Seconds(1)};
  EXPECT_DOUBLE_EQ(time_of({kernel(500, Pass::Forward)}, launch, 0.5), 2);
  EXPECT_DOUBLE_EQ(time_of({kernel(500, Pass::Forward)}, launch, 0.125), 4);
}

// 3 s of kernels that are launched in 1 s leave a lead of 2 s, which hides 2 of the 2.5 s that the next launches take.
TEST(KernelTimes, ALeadHidesWhatComesNext) {
  const KernelTimes slow{.gpu = Seconds(3), .host = Seconds(1)};
  const KernelTimes quick{.gpu = Seconds(0.25), .host = Seconds(2.5)};
  EXPECT_EQ(slow.at(1), Seconds(3));
  EXPECT_EQ(slow.lead_after(1, {}), Seconds(2));
  EXPECT_EQ(quick.at(1, Seconds(2)), Seconds(0.5));
  EXPECT_EQ(quick.lead_after(1, Seconds(2)), Seconds());
  EXPECT_EQ(slow.lead_after(0.5, Seconds(1)), Seconds(6)); // a GPU of half the speed
}

TEST(KernelTimes, TheCostTableHasThem) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 1;
  parts.names = {"x"};
  parts.works.resize(1);
  parts.works[0].operators = {kernel(500, Pass::Forward)};
  parts.tasks.resize(1);
  const graph::TaskGraph graph(std::move(parts));
  const execution::Costs costs = cost_table(graph, test_cluster(1, 2), {}, {.forward = Seconds(3), .backward = {}});
  EXPECT_DOUBLE_EQ(costs.durations.at(costs.of_task[0]).value(), 3);
}

// Over a chain of tasks host or GPU is busy all the time: long and short ones in turn take as long as the GPU, 2 x 3.25
// s, though the host of each short one by itself takes longer. Behind a dispatch the host has to catch up.
TEST(KernelTimes, TheHostRunsAheadUntilItCountsTokens) {
  graph::TaskGraph::Parts parts;
  parts.rank_count = 1;
  parts.names = {"x", "dispatch"};
  parts.groups = {{RankId(0)}};
  parts.works.resize(3);
  parts.works[0].operators = {kernel(3000, Pass::Forward)};
  parts.works[1].operators = {kernel(250, Pass::Forward)};
  parts.tasks = {{.work = 0}, {.work = 1}, {.work = 0}, {.work = 1}};
  const auto busy = [&](const graph::TaskGraph::Parts& of) {
    const graph::TaskGraph graph(of);
    const execution::Costs costs = cost_table(graph, test_cluster(1, 2), {}, {.forward = Seconds(1), .backward = {}});
    Seconds sum;
    for (std::size_t task = 0; task < graph.task_count(); ++task)
      if (graph.tasks()[task].kind == graph::Kind::Compute)
        sum += costs.durations[costs.of_task[task]];
    return sum;
  };
  EXPECT_EQ(busy(parts), Seconds(6.5));
  graph::Task dispatch{.work = 2, .name = 1, .kind = graph::Kind::AllToAll, .stream = graph::Stream::Ep};
  parts.tasks.insert(parts.tasks.begin() + 1, dispatch);
  EXPECT_EQ(busy(parts), Seconds(3 + 1 + 3 + 0.25));
  parts.tasks[1].phase = graph::Phase::Backward; // its counts are known
  EXPECT_EQ(busy(parts), Seconds(6.5));
}

} // namespace
} // namespace moesim::cost
