#include <limits>

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"
#include "tests/execution/small_job.hpp"

namespace moesim::execution {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Costs, IdleTimeIsLatencyPlusTheBusiestLink) {
  const SmallJob job(3);
  EXPECT_EQ(idle_time({Seconds(2), {}}, job.costs.links), Seconds(2));
  EXPECT_EQ(idle_time({Seconds(2), {over({0, 1}, Bytes(1e9))}}, job.costs.links), Seconds(3));
  EXPECT_EQ(idle_time({Seconds(0), {over({0, 1}, Bytes(1e9)), over({0, 2}, Bytes(2e9))}}, job.costs.links), Seconds(3));
  EXPECT_EQ(idle_time({Seconds(0), {over({0}, Bytes(1e9)), over({1}, Bytes(4e9))}}, job.costs.links), Seconds(4));
}

// Ten flows alike over one link, four of them of one communication.
TEST(Costs, IdleTimeKnowsOneCommunicationOnly) {
  const SmallJob job(1);
  EXPECT_EQ(idle_time({Seconds(0), {{{{0, 10, 4}}, Bytes(1e9)}}}, job.costs.links), Seconds(4));
}

TEST(Costs, IdleTimesFollowTheKindOfTask) {
  SmallJob job(2);
  job.compute(5);
  job.communicate(1, {over({0, 1}, Bytes(1e9))});
  job.communicate(7, {});
  EXPECT_EQ(idle_times(job.graph(), job.costs), (std::vector{Seconds(5), Seconds(2), Seconds(7)}));
}

// What no graph of ours may ask for, one by one.
void expect_refused(const SmallJob& job) {
  EXPECT_THROW(check(job.graph(), job.costs), InternalError);
}

TEST(Costs, RefusesTimesAndSizesThatAreNotAmounts) {
  for (const double bad : {nan, -1.0, std::numeric_limits<double>::infinity()}) {
    SmallJob compute;
    compute.compute(bad);
    expect_refused(compute);
    SmallJob latency;
    latency.communicate(bad, {});
    expect_refused(latency);
    SmallJob bytes(2);
    bytes.communicate(0, {over({0, 1}, Bytes(bad))});
    expect_refused(bytes);
  }
}

TEST(Costs, RefusesImpossibleRoutes) {
  for (const Flow& flow : {over({0, 0}, Bytes(1)), over({}, Bytes(1)), over({0, 2}, Bytes(1)),
                           Flow{{{0, 0, 0}}, Bytes(1)}, Flow{{{0, 1, 2}}, Bytes(1)}}) {
    SmallJob job(2);
    job.communicate(0, {flow});
    expect_refused(job);
  }
}

TEST(Costs, RefusesALinkWithoutCapacity) {
  SmallJob job(2);
  job.communicate(0, {over({0, 1}, Bytes(1))});
  job.costs.links[1].capacity = BytesPerSecond(0);
  expect_refused(job);
}

TEST(Costs, RefusesARankWithoutAMultiprocessor) {
  SmallJob job;
  job.compute(1);
  job.costs.multiprocessors.all = 0;
  expect_refused(job);
}

TEST(Costs, RefusesTasksWithoutACost) {
  SmallJob job;
  job.compute(1);
  job.costs.of_task[0] = 1;
  expect_refused(job);
  job.costs.of_task.clear();
  expect_refused(job);
}

} // namespace
} // namespace moesim::execution
