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

} // namespace
} // namespace moesim::cost
