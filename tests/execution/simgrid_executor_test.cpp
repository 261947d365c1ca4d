// Every test here runs at most one SimGrid simulation: ctest gives each a process of its own.
#include "simulator/execution/simgrid_executor.hpp"

#include <cmath>
#include <csignal>

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"
#include "tests/execution/small_job.hpp"

namespace moesim::execution {
namespace {

Outcome run_fluid(const SmallJob& job) {
  SimGridExecutor executor;
  return run(executor, job);
}

void expect_close(Seconds time, double expected) {
  EXPECT_NEAR(time.value(), expected, 1e-9 * expected);
}

double length(const Recording::Span& span) {
  return (span.end - span.start).value();
}

TEST(SimGridExecutor, AnEmptyGraphTakesNoTime) {
  EXPECT_EQ(run_fluid(SmallJob()).makespan, Seconds());
}

TEST(SimGridExecutor, ALoneTransferTakesLatencyPlusSizeOverBandwidth) {
  SmallJob job(2);
  job.costs.links[0].capacity = BytesPerSecond(4.5e11);
  job.costs.links[1].capacity = BytesPerSecond(5e10);
  const std::vector<double> latencies{0, 1e-9, 4e-6, 1};
  const std::vector<double> sizes{0.25, 1, 2.5, 1000, 1e6 + 1, 123456789, 1e12};
  std::vector<double> expected;
  for (const double latency : latencies) {
    for (const double size : sizes) {
      const auto previous = static_cast<TaskIndex>(expected.size());
      const std::vector<TaskIndex> after = previous == 0 ? std::vector<TaskIndex>{} : std::vector{previous - 1};
      job.communicate(latency, {over({0, 1}, Bytes(size))}, after);
      expected.push_back(latency + size / 5e10);
    }
  }

  const Outcome outcome = run_fluid(job);

  // The clock counts in doubles, so the length of a short task is known to within a rounding of the date of its end.
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(length(outcome.recording.tasks[i]), expected[i],
                1e-9 * expected[i] + 4e-16 * outcome.recording.tasks[i].end.value())
        << "transfer " << i;
}

class OneTransfer : public testing::TestWithParam<std::pair<double, double>> {};

TEST_P(OneTransfer, TakesLatencyPlusSizeOverBandwidth) {
  const auto [latency, size] = GetParam();
  SmallJob job(2);
  job.costs.links[1].capacity = BytesPerSecond(5e10);
  job.costs.links[0].capacity = BytesPerSecond(4.5e11);
  job.communicate(latency, {over({0, 1}, Bytes(size))});
  expect_close(run_fluid(job).makespan, latency + size / 5e10);
}

INSTANTIATE_TEST_SUITE_P(SimGridExecutor, OneTransfer,
                         testing::Values(std::pair(0.0, 1.0), std::pair(4e-6, 1.0), std::pair(0.0, 0.75),
                                         std::pair(1e-9, 1e3), std::pair(4e-6, 1e6), std::pair(0.0, 123456789.0),
                                         std::pair(2e-6, 1e12), std::pair(0.0, 5e13)));

TEST(SimGridExecutor, AComputeTaskTakesItsDurationExactly) {
  SmallJob job;
  for (const double duration : {1e-3, 1e-3 + 1e-10, 1e-3 + 5e-10, 1e-9, 3.0})
    job.compute(duration);
  const Outcome outcome = run_fluid(job);
  for (std::size_t i = 0; i < job.costs.durations.size(); ++i)
    EXPECT_EQ(outcome.recording.tasks[i].end, job.costs.durations[i]);
}

TEST(SimGridExecutor, TwoFlowsOverOneLinkTakeTwiceAsLong) {
  SmallJob job(3);
  job.communicate(0, {over({0, 1}, Bytes(1e9))});
  job.communicate(0, {over({0, 2}, Bytes(1e9))});
  const Outcome outcome = run_fluid(job);
  expect_close(outcome.recording.tasks[0].end, 2);
  expect_close(outcome.recording.tasks[1].end, 2);
}

TEST(SimGridExecutor, AShortFlowLeavesTheLinkToTheLongOne) {
  SmallJob job(3);
  job.communicate(0, {over({0, 1}, Bytes(1e9))});
  job.communicate(0, {over({0, 2}, Bytes(3e9))});
  const Outcome outcome = run_fluid(job);
  expect_close(outcome.recording.tasks[0].end, 2);
  expect_close(outcome.recording.tasks[1].end, 4);
}

TEST(SimGridExecutor, IncastIsBoundedByTheReceiver) {
  SmallJob job(9);
  std::vector<Flow> flows;
  for (std::uint32_t sender = 0; sender < 8; ++sender)
    flows.push_back(over({sender, 8}, Bytes(1e9)));
  job.communicate(1e-6, flows);
  expect_close(run_fluid(job).makespan, 1e-6 + 8);
}

// A receiver with four times the load of the others: one egress flow per sender, one ingress flow per receiver.
TEST(SimGridExecutor, AFlowMayEndInTheCore) {
  SmallJob job(8);
  std::vector<Flow> flows;
  for (std::uint32_t member = 0; member < 4; ++member) {
    flows.push_back(over({member}, Bytes(1e9)));
    flows.push_back(over({4 + member}, Bytes(member == 0 ? 4e9 : 1e9)));
  }
  job.communicate(0, flows);
  const Outcome outcome = run_fluid(job);
  expect_close(outcome.makespan, 4);
  EXPECT_EQ(outcome.recording.flows.size(), 8U);
}

TEST(SimGridExecutor, WhatMovesNoBytesNeverReachesTheNetwork) {
  SmallJob job(2);
  const TaskIndex alone = job.communicate(0, {});
  const TaskIndex zero = job.communicate(0, {over({0, 1}, Bytes(0))}, {alone});
  const TaskIndex nothing = job.compute(0, {zero});
  const TaskIndex delay = job.communicate(2, {over({0, 1}, Bytes(0)), over({1, 0}, Bytes(0))}, {nothing});
  const Outcome outcome = run_fluid(job);
  EXPECT_EQ(outcome.recording.tasks[nothing].end, Seconds(0));
  EXPECT_EQ(outcome.recording.tasks[delay].end, Seconds(2));
  EXPECT_TRUE(outcome.recording.flows.empty());
}

TEST(SimGridExecutor, AChainOfTasksWithoutDurationEnds) {
  SmallJob job;
  job.compute(0);
  for (TaskIndex i = 0; i < 100000; ++i)
    job.compute(0, {i});
  EXPECT_EQ(run_fluid(job).makespan, Seconds(0));
}

TEST(SimGridExecutor, FlowsThatEndTogetherStartWhatFollows) {
  SmallJob job(128);
  std::vector<TaskIndex> transfers;
  for (std::uint32_t i = 0; i < 64; ++i)
    transfers.push_back(job.communicate(0, {over({2 * i, 2 * i + 1}, Bytes(1e9))}));
  const TaskIndex join = job.compute(1, transfers);
  for (std::uint32_t i = 0; i < 64; ++i)
    job.communicate(0, {over({2 * i, 2 * i + 1}, Bytes(1e9))}, {join});
  expect_close(run_fluid(job).makespan, 3);
}

TEST(SimGridExecutor, AFanOutOfSixteenThousandRuns) {
  SmallJob job(2);
  const TaskIndex root = job.communicate(0, {over({0, 1}, Bytes(1e9))});
  std::vector<TaskIndex> leaves(16000);
  for (TaskIndex& leaf : leaves)
    leaf = job.compute(1, {root});
  job.communicate(0, {over({0, 1}, Bytes(1e9))}, leaves);
  expect_close(run_fluid(job).makespan, 3);
}

// SimGrid advances its clock by the time to the next event. Rounded, 4.37 + ((0.04 + 14.9) - 4.37) passes the end of
// the flow, which SimGrid then never sees unless its timing precision allows for that.
TEST(SimGridExecutor, RoundingOfTheClockLosesNoFlow) {
  SmallJob job(2);
  const TaskIndex before = job.compute(0.04);
  job.communicate(0, {over({0, 1}, Bytes(14.9e9))}, {before});
  job.compute(4.37);
  expect_close(run_fluid(job).makespan, 14.94);
}

TEST(SimGridExecutor, LongRunsStayExact) {
  SmallJob job(2);
  std::vector<TaskIndex> last;
  double expected = 0;
  for (int i = 0; i < 400; ++i) {
    const double pause = 1e-7 * (1 + i % 7);
    const double size = 1e9 * std::pow(1.07, i % 150);
    last = {job.compute(pause, last)};
    last = {job.communicate(pause / 3, {over({0, 1}, Bytes(size))}, last)};
    expected += pause + pause / 3 + size / 1e9;
  }
  expect_close(run_fluid(job).makespan, expected);
}

TEST(SimGridExecutor, RunsOncePerProcess) {
  SmallJob job;
  job.compute(1);
  run_fluid(job);
  EXPECT_THROW(run_fluid(job), InternalError);
}

TEST(SimGridExecutor, ACycleIsReportedNotWaitedFor) {
  SmallJob job;
  job.compute(1);
  job.compute(1, {1});
  EXPECT_THROW(run_fluid(job), InternalError);
}

TEST(SimGridExecutor, LeavesTheInterruptHandlerAlone) {
  const auto handler = [](int) {};
  std::signal(SIGINT, handler);
  SmallJob job;
  job.compute(1);
  run_fluid(job);
  EXPECT_EQ(std::signal(SIGINT, SIG_DFL), static_cast<void (*)(int)>(handler));
}

TEST(SimGridExecutor, SaysNothing) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  SmallJob job(2);
  job.communicate(0, {over({0, 1}, Bytes(1))});
  run_fluid(job);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Progress and sinks may stop a run by throwing, with flows still under way.
TEST(SimGridExecutor, AnExceptionOfTheCallerEndsTheRun) {
  struct Stop {};
  class Stopping : public RunSink {
  public:
    void task_ran(TaskId, Seconds, Seconds) override {}
    void flow_ran(const Flow&, Seconds, Seconds) override { throw Stop(); }
  };
  SmallJob job(2);
  job.communicate(0, {over({0, 1}, Bytes(1))});
  job.communicate(0, {over({0, 1}, Bytes(2))});
  job.compute(5);
  const graph::TaskGraph graph = job.graph();
  Stopping sink;
  testing::internal::CaptureStderr();
  EXPECT_THROW(SimGridExecutor().run(graph, job.costs, sink), Stop);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// How Ctrl-C is heard: from progress, which runs inside a timer of SimGrid.
TEST(SimGridExecutor, AnExceptionOfProgressEndsTheRun) {
  struct Interrupted {};
  SmallJob job(2);
  job.communicate(0, {over({0, 1}, Bytes(1e9))});
  for (std::size_t i = 0; i < progress_interval; ++i)
    job.compute(1e-3);
  const graph::TaskGraph graph = job.graph();
  Recording sink(graph.task_count());
  const auto interrupt = [](std::size_t, std::size_t) { throw Interrupted(); };
  testing::internal::CaptureStderr();
  EXPECT_THROW(SimGridExecutor().run(graph, job.costs, sink, interrupt), Interrupted);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(sink.task_calls, progress_interval);
}

} // namespace
} // namespace moesim::execution
