// Communication slows the kernels beside it: closed forms on small graphs, for every executor, and the law that they
// follow on random ones. GPUs have four multiprocessors, so each that is taken costs a quarter of the speed.
#include "simulator/execution/delays.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "tests/execution/run_in_child.hpp"

namespace moesim::execution {
namespace {

using graph::Stream;

// Communication on Tp takes one of the four, on Dp two, of a pipeline transfer each end one.
SmallJob job_of_four(std::size_t links = 0) {
  SmallJob job(links);
  job.costs.multiprocessors.all = 4;
  job.take(Stream::Tp, 1);
  job.take(Stream::Dp, 2);
  for (const Stream stream : {Stream::PpSendNext, Stream::PpSendPrev, Stream::PpRecvNext, Stream::PpRecvPrev})
    job.take(stream, 1);
  return job;
}

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

enum class Contention { None, Some };

// Kernels and communications in order of their streams, each now and then after some other task; on links of their own
// unless contention is wanted.
SmallJob overlapping_job(std::uint32_t seed, Contention contention) {
  constexpr std::uint32_t ranks = 6;
  const std::vector<Stream> streams{Stream::Compute, Stream::Tp, Stream::Dp, Stream::PpSendNext};
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t limit) { return static_cast<std::uint32_t>(random() % limit); };
  SmallJob job = job_of_four(ranks * streams.size());
  std::map<std::pair<Stream, std::uint32_t>, TaskIndex> last;
  for (TaskIndex task = 0; task < 500; ++task) {
    const std::uint32_t kind = below(streams.size());
    const std::uint32_t first = below(ranks);
    const std::uint32_t width = streams[kind] == Stream::Tp || streams[kind] == Stream::Dp ? 1 + below(3) : 2;
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < (streams[kind] == Stream::Compute ? 1 : width); ++i)
      members.push_back((first + i) % ranks);
    std::vector<TaskIndex> after;
    for (const std::uint32_t rank : members)
      if (const auto before = last.find({streams[kind], rank}); before != last.end())
        after.push_back(before->second);
    if (task > 0 && below(3) == 0)
      after.push_back(task - 1 - below(std::min<std::size_t>(task, 20)));
    if (streams[kind] == Stream::Compute) {
      job.compute(1e-6 * below(1000), after, first);
    } else {
      std::vector<Flow> flows;
      for (const std::uint32_t rank : members)
        flows.push_back(over({rank + ranks * (contention == Contention::Some ? 0 : kind)}, Bytes(1e3 * below(1000))));
      job.communicate(1e-6 * below(50), flows, after, {.stream = streams[kind], .ranks = members});
    }
    for (const std::uint32_t rank : members)
      last[{streams[kind], rank}] = task;
  }
  return job;
}

// What a kernel would have done at full speed, from the times of the communications beside it: the integral of the
// speed.
double work_done(const graph::TaskGraph& graph, const Multiprocessors& processors, const Times& times,
                 TaskIndex kernel) {
  const double start = times[2 * kernel];
  const double end = times[2 * kernel + 1];
  std::vector<double> dates{start, end};
  std::vector<std::pair<TaskIndex, std::size_t>> beside; // and as which member
  for (TaskIndex task = 0; task < graph.task_count(); ++task) {
    const graph::Task& other = graph.tasks()[task];
    if (other.kind == graph::Kind::Compute || times[2 * task + 1] <= start || times[2 * task] >= end)
      continue;
    const auto members = graph.members(other);
    for (std::size_t member = 0; member < members.size(); ++member)
      if (members[member].value() == graph.tasks()[kernel].place) {
        beside.emplace_back(task, member);
        for (const double date : {times[2 * task], times[2 * task + 1]})
          dates.push_back(std::clamp(date, start, end));
      }
  }
  std::ranges::sort(dates);
  double work = 0;
  for (std::size_t i = 1; i < dates.size(); ++i) {
    std::map<Stream, std::uint32_t> taken;
    for (const auto& [task, member] : beside)
      if (times[2 * task] < dates[i] && times[2 * task + 1] > dates[i - 1]) {
        const Stream stream = stream_at(graph.tasks()[task], member);
        taken[stream] = processors.taken[static_cast<std::size_t>(stream)];
      }
    std::uint32_t sum = 0;
    for (const auto& [stream, count] : taken)
      sum += count;
    work += (dates[i] - dates[i - 1]) * std::max(1.0, static_cast<double>(processors.all) - sum) / processors.all;
  }
  return work;
}

class RandomOverlap : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomOverlap, WorkIsTheIntegralOfTheSpeed) {
  const SmallJob job = overlapping_job(GetParam(), Contention::Some);
  const graph::TaskGraph graph = job.graph();
  IdealExecutor ideal;
  std::size_t slowed = 0;
  for (const Times& times : {times_of(run(ideal, job).recording), run_in_child(Network::Fluid, job)})
    for (TaskIndex task = 0; task < graph.task_count(); ++task)
      if (graph.tasks()[task].kind == graph::Kind::Compute) {
        const double duration = job.costs.durations[job.costs.of_task[task]].value();
        EXPECT_NEAR(work_done(graph, job.costs.multiprocessors, times, task), duration, 1e-12) << "task " << task;
        slowed += times[2 * task + 1] - times[2 * task] > 1.01 * duration ? 1U : 0U;
      }
  EXPECT_GT(slowed, 100U);
}

TEST_P(RandomOverlap, ExecutorsAgreeWhereNothingContends) {
  const SmallJob job = overlapping_job(GetParam(), Contention::None);
  IdealExecutor ideal;
  const Outcome expected = run(ideal, job);
  const Times ideal_times = times_of(expected.recording);
  EXPECT_EQ(run_in_child(Network::Analytic, job), ideal_times);
  const Times fluid = run_in_child(Network::Fluid, job);
  for (std::size_t i = 0; i < 2 * expected.recording.tasks.size(); ++i)
    EXPECT_NEAR(fluid[i], ideal_times[i], 1e-9 * expected.makespan.value()) << "task " << i / 2;
}

// On links that nobody shares, whatever a task waits for is only later.
TEST_P(RandomOverlap, SlowingBringsNoEndForward) {
  SmallJob job = overlapping_job(GetParam(), Contention::None);
  IdealExecutor ideal;
  const Outcome slowed = run(ideal, job);
  job.costs.multiprocessors = {};
  const Outcome unslowed = run(ideal, job);
  for (std::size_t task = 0; task < slowed.recording.tasks.size(); ++task)
    EXPECT_GE(slowed.recording.tasks[task].end, unslowed.recording.tasks[task].end * (1 - 1e-12)) << "task " << task;
}

INSTANTIATE_TEST_SUITE_P(Delays, RandomOverlap, testing::Range(1U, 6U));

} // namespace
} // namespace moesim::execution
