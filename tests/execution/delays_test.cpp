// Communication slows the kernels beside it: closed forms on small graphs, for every executor. GPUs have four
// multiprocessors, so each that is taken costs a quarter of the speed.
#include "simulator/execution/delays.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "tests/execution/run_in_child.hpp"

namespace moesim::execution {
namespace {

using graph::Stream;

// When a task ends on idle links.
double end_of(const SmallJob& job, TaskIndex task) {
  IdealExecutor ideal;
  return run(ideal, job).recording.tasks[task].end.value();
}

// When it ends, whatever runs it; nothing contends.
void expect_end(const SmallJob& job, TaskIndex task, double end) {
  EXPECT_NEAR(end_of(job, task), end, 1e-12 * end);
  for (const Network network : {Network::Analytic, Network::Fluid})
    EXPECT_NEAR(run_in_child(network, job)[2 * task + 1], end, 1e-12 * end);
}

// Two seconds before it, four beside it at 3/4, five after it: 2 + 3 + 5 = 10.
TEST(Delays, AKernelIsSlowedWhileACommunicationRuns) {
  SmallJob job = job_of_four(1);
  const TaskIndex kernel = job.compute(10);
  const TaskIndex before = job.compute(2, {}, 1);
  job.communicate(1, {over({0}, Bytes(3e9))}, {before}); // latency and flows both count
  expect_end(job, kernel, 11);
}

// 2 + 2 x 3/4 + 2 x 1/4 + 2 x 1/2 + 5 = 10, with one stream from 2 to 6 and another from 4 to 8.
TEST(Delays, StreamsAddUp) {
  SmallJob job = job_of_four();
  const TaskIndex kernel = job.compute(10);
  job.communicate(4, {}, {job.compute(2, {}, 1)});
  job.communicate(4, {}, {job.compute(4, {}, 2)}, {.stream = Stream::Dp});
  expect_end(job, kernel, 13);
}

TEST(Delays, AStreamCountsOnce) {
  SmallJob job = job_of_four();
  const TaskIndex kernel = job.compute(3);
  job.communicate(4, {});
  job.communicate(2, {});
  expect_end(job, kernel, 4);
}

// The second kernel starts beside a communication that ends before it: 2 x 3/4 + 1.5 = 3.
TEST(Delays, AKernelMayStartBesideACommunication) {
  SmallJob job = job_of_four();
  job.communicate(4, {});
  const TaskIndex kernel = job.compute(3, {job.compute(2, {}, 1)});
  expect_end(job, kernel, 5.5);
}

TEST(Delays, ACommunicationMayOutliveKernels) {
  SmallJob job = job_of_four();
  job.communicate(10, {});
  const TaskIndex first = job.compute(3);
  const TaskIndex second = job.compute(3, {first});
  const TaskIndex third = job.compute(3, {second});
  expect_end(job, first, 4);
  expect_end(job, second, 8);
  expect_end(job, third, 11.5); // 2 x 3/4 + 1.5
}

TEST(Delays, OneMultiprocessorIsLeftToCompute) {
  for (const std::uint32_t taken : {3U, 4U, 40U}) {
    SmallJob job = job_of_four();
    job.take(Stream::Dp, taken);
    const TaskIndex kernel = job.compute(1);
    job.communicate(100, {});
    job.communicate(100, {}, {}, {.stream = Stream::Dp});
    expect_end(job, kernel, 4);
  }
}

TEST(Delays, OnlyRanksThatTakePartAreSlowed) {
  SmallJob job = job_of_four();
  std::vector<TaskIndex> kernels;
  for (std::uint32_t rank = 0; rank < 4; ++rank)
    kernels.push_back(job.compute(3, {}, rank));
  job.communicate(100, {}, {}, {.stream = Stream::Dp, .ranks = {0, 2}});
  for (std::uint32_t rank = 0; rank < 4; ++rank)
    expect_end(job, kernels[rank], rank % 2 == 0 ? 6 : 3);
}

// A transfer is on a stream of its own at each end; what one rank sends and what it receives add up.
TEST(Delays, BothEndsOfATransferAreSlowed) {
  SmallJob job = job_of_four();
  std::vector<TaskIndex> kernels;
  for (std::uint32_t rank = 0; rank < 3; ++rank)
    kernels.push_back(job.compute(3, {}, rank));
  job.communicate(100, {}, {}, {.stream = Stream::PpSendNext, .ranks = {0, 1}});
  job.communicate(100, {}, {}, {.stream = Stream::PpSendNext, .ranks = {1, 2}});
  expect_end(job, kernels[0], 4);
  expect_end(job, kernels[1], 6);
  expect_end(job, kernels[2], 4);
}

// What meets at a point in time only does not slow, to the last bit.
TEST(Delays, OneAfterTheOtherIsNotSlowed) {
  SmallJob job = job_of_four();
  const TaskIndex first = job.compute(0.1);
  const TaskIndex gather = job.communicate(0.3, {}, {first});
  const TaskIndex second = job.compute(0.7, {gather});
  const TaskIndex beside_second = job.communicate(0.2, {}, {gather}, {.stream = Stream::PpSendNext, .ranks = {1, 2}});
  job.communicate(0.3, {}, {second, beside_second});
  for (const bool slows : {true, false}) {
    if (!slows)
      job.costs.multiprocessors = {};
    EXPECT_EQ(end_of(job, first), 0.1);
    EXPECT_EQ(end_of(job, second), 0.1 + 0.3 + 0.7);
    EXPECT_EQ(run_in_child(Network::Analytic, job)[2 * second + 1], 0.1 + 0.3 + 0.7);
  }
}

TEST(Delays, TasksMayTakeNoTime) {
  SmallJob job = job_of_four();
  const TaskIndex nothing = job.communicate(0, {});
  job.communicate(4, {}, {nothing});
  const TaskIndex kernel = job.compute(3);
  const TaskIndex empty = job.compute(0, {kernel});
  const TaskIndex last = job.compute(1, {empty, job.communicate(0, {}, {kernel}, {.stream = Stream::Dp})});
  expect_end(job, kernel, 4);
  expect_end(job, empty, 4);
  expect_end(job, last, 5);
}

// Two transfers of a second share a link, so that both take two.
TEST(Delays, ContentionSlowsForLonger) {
  SmallJob job = job_of_four(1);
  const TaskIndex kernel = job.compute(10);
  job.communicate(0, {over({0}, Bytes(1e9))});
  job.communicate(0, {over({0}, Bytes(1e9))}, {}, {.ranks = {1}});
  EXPECT_NEAR(end_of(job, kernel), 10.25, 1e-12);
  EXPECT_NEAR(run_in_child(Network::Fluid, job)[2 * kernel + 1], 10.5, 1e-12);
}

TEST(Delays, RefusesTwoKernelsAtOnceOnARank) {
  SmallJob job = job_of_four();
  job.compute(1);
  job.compute(1);
  EXPECT_THROW(end_of(job, 0), InternalError);
}

} // namespace
} // namespace moesim::execution
