// Laws that hold on any graph, checked on random ones: the executors agree where nothing contends, nothing starts too
// early, and the same run gives the same times. SimGrid runs in child processes, one simulation each.
#include <algorithm>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "tests/execution/run_in_child.hpp"

namespace moesim::execution {
namespace {

enum class Contention { None, Some };

// Tasks over `columns`, each with two links. A task that uses a column waits for the one that used it last, unless
// contention is wanted.
SmallJob random_job(std::uint32_t seed, Contention contention) {
  constexpr std::uint32_t columns = 24;
  std::mt19937 random(seed);
  const auto below = [&random](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  SmallJob job(2 * columns);
  std::vector<std::optional<TaskIndex>> last(columns);
  for (TaskIndex task = 0; task < 600; ++task) {
    const std::uint32_t first = below(columns);
    const std::uint32_t width = std::min(columns - first, 1 + below(8));
    std::vector<TaskIndex> after;
    for (std::uint32_t i = first; i < first + width; ++i)
      if (last[i])
        after.push_back(*last[i]);
    if (contention == Contention::Some && after.size() > 1)
      after.erase(after.begin() + 1, after.end());
    if (task > 0 && below(3) == 0)
      after.push_back(below(task));
    if (width == 1) {
      job.compute(1e-6 * below(1000), after);
    } else {
      const double bytes = 1e3 * below(1000);
      std::vector<Flow> flows;
      for (std::uint32_t i = 0; i < width; ++i)
        flows.push_back(over({2 * (first + i), 2 * (first + (i + 1) % width) + 1}, Bytes(bytes)));
      job.communicate(1e-6 * below(5), flows, after);
    }
    for (std::uint32_t i = first; i < first + width; ++i)
      last[i] = task;
  }
  return job;
}

class RandomGraph : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomGraph, ExecutorsAgreeWhereNothingContends) {
  const SmallJob job = random_job(GetParam(), Contention::None);
  IdealExecutor ideal;
  const Outcome expected = run(ideal, job);
  const double tolerance = 1e-9 * expected.makespan.value();

  EXPECT_EQ(run_in_child(Network::Analytic, job), times_of(expected.recording));
  const Times fluid = run_in_child(Network::Fluid, job);
  const Times ideal_times = times_of(expected.recording);
  ASSERT_EQ(fluid.size(), ideal_times.size());
  for (std::size_t i = 0; i < 2 * expected.recording.tasks.size(); ++i)
    EXPECT_NEAR(fluid[i], ideal_times[i], tolerance) << "task " << i / 2;
}

TEST_P(RandomGraph, NothingStartsBeforeWhatItWaitsForEnds) {
  const SmallJob job = random_job(GetParam(), Contention::Some);
  const graph::TaskGraph graph = job.graph();
  const Times times = run_in_child(Network::Fluid, job);
  std::vector<double> ready(graph.task_count(), 0);
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    for (const std::uint32_t successor : graph.successors(TaskId(task)))
      ready[successor] = std::max(ready[successor], times[2 * task + 1]);
  for (std::size_t task = 0; task < graph.task_count(); ++task) {
    EXPECT_EQ(times[2 * task], ready[task]) << "task " << task << " starts as soon as it may, and not before";
    EXPECT_LE(times[2 * task], times[2 * task + 1]);
  }
}

TEST_P(RandomGraph, NoRunIsShorterThanTheCriticalPath) {
  const SmallJob job = random_job(GetParam(), Contention::Some);
  const graph::TaskGraph graph = job.graph();
  const double bound = graph::critical_path(graph, idle_times(graph, job.costs)).value();
  IdealExecutor ideal;
  EXPECT_NEAR(run(ideal, job).makespan.value(), bound, 1e-12 * bound);

  const Times times = run_in_child(Network::Fluid, job);
  double makespan = 0;
  for (std::size_t task = 0; task < graph.task_count(); ++task)
    makespan = std::max(makespan, times[2 * task + 1]);
  EXPECT_GT(makespan, 1.01 * bound) << "this graph contends";
}

TEST_P(RandomGraph, TheSameRunGivesTheSameTimes) {
  const SmallJob job = random_job(GetParam(), Contention::Some);
  EXPECT_EQ(run_in_child(Network::Fluid, job), run_in_child(Network::Fluid, job));
}

// Two kinds of members share a trunk, k of one and 2k of the other, each behind a link of its own. One flow of each
// kind, which names the trunk k and 2k times, ends when all of them would.
TEST(Folding, AFlowMayStandForSeveral) {
  for (const std::uint32_t k : {1U, 3U, 16U}) {
    SmallJob full(1 + 3 * k);
    SmallJob folded(3);
    for (std::uint32_t link = 0; link < 1 + 3 * k; ++link)
      full.costs.links[link].capacity = BytesPerSecond(link == 0 ? k * 1e9 : link <= k ? 0.6e9 : 0.35e9);
    folded.costs.links[0].capacity = BytesPerSecond(k * 1e9);
    folded.costs.links[1].capacity = BytesPerSecond(0.6e9);
    folded.costs.links[2].capacity = BytesPerSecond(0.35e9);
    for (std::uint32_t member = 0; member < 3 * k; ++member)
      full.communicate(0, {over({1 + member, 0}, Bytes(member < k ? 3.1e9 : 2.3e9))});
    folded.communicate(0, {{{{1}, {0, k, k}}, Bytes(3.1e9)}});
    folded.communicate(0, {{{{2}, {0, 2 * k, 2 * k}}, Bytes(2.3e9)}});
    const Times all = run_in_child(Network::Fluid, full);
    const Times two = run_in_child(Network::Fluid, folded);
    EXPECT_NEAR(two[1], all[1], 1e-12 * all[1]) << k;
    EXPECT_NEAR(two[3], all[2 * k + 1], 1e-12 * two[3]) << k;
    EXPECT_NE(two[1], two[3]);
  }
}

// Three waves, the second of them twice: each starts when the one before has ended, after its own latency. A wave that
// moves nothing takes its latency, and another task on the same link has its half of it meanwhile.
TEST(Waves, FollowEachOther) {
  SmallJob job(2);
  const TaskIndex waves = job.communicate(0.25, {over({0}, Bytes(1e9))});
  job.costs.communications[waves].then = {{Seconds(0.5), {over({0}, Bytes(2e9)), over({1}, Bytes(1e9))}, 2},
                                          {Seconds(0.125), {over({0}, Bytes(0))}}};
  IdealExecutor ideal;
  const Outcome alone = run(ideal, job);
  EXPECT_DOUBLE_EQ(alone.makespan.value(), 0.25 + 1 + 2 * (0.5 + 2) + 0.125);
  EXPECT_EQ(alone.recording.flows.size(), 5U);
  EXPECT_EQ(run_in_child(Network::Analytic, job), times_of(alone.recording));
  const Times fluid = run_in_child(Network::Fluid, job);
  EXPECT_NEAR(fluid[1], alone.makespan.value(), 1e-9);
  EXPECT_EQ(fluid.size(), 2 + 2 * alone.recording.flows.size());

  job.communicate(0,
                  {over({0}, Bytes(3e9))}); // from 0 on: alone up to 0.25, shared up to 2.25, alone up to 2.75, shared
  const Times shared = run_in_child(Network::Fluid, job);
  EXPECT_NEAR(shared[3], 2.75 + 2 * 1.25, 1e-9); // 0.25 + 1 + 0.5 are done by 2.75
  EXPECT_NEAR(shared[1], 2.75 + 2 * 1.25 + (2 - 1.25) + 0.5 + 2 + 0.125, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(Agreement, RandomGraph, testing::Range(1U, 6U));

} // namespace
} // namespace moesim::execution
