#include "simulator/execution/ideal_executor.hpp"

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"
#include "tests/execution/small_job.hpp"

namespace moesim::execution {
namespace {

Outcome run_ideal(const SmallJob& job) {
  IdealExecutor executor;
  return run(executor, job);
}

TEST(IdealExecutor, AnEmptyGraphTakesNoTime) {
  EXPECT_EQ(run_ideal(SmallJob()).makespan, Seconds());
}

TEST(IdealExecutor, StartsATaskWhenTheLastOneItWaitsForEnds) {
  SmallJob job(2);
  const TaskIndex first = job.compute(1);
  const TaskIndex second = job.compute(3);
  const TaskIndex transfer = job.communicate(0.5, {over({0, 1}, Bytes(1e9))}, {first});
  job.compute(2, {second, transfer});

  const Outcome outcome = run_ideal(job);

  using Span = Recording::Span;
  EXPECT_EQ(outcome.makespan, Seconds(5));
  EXPECT_EQ(
      outcome.recording.tasks,
      (std::vector<Span>{
          {Seconds(0), Seconds(1)}, {Seconds(0), Seconds(3)}, {Seconds(1), Seconds(2.5)}, {Seconds(3), Seconds(5)}}));
  ASSERT_EQ(outcome.recording.flows.size(), 1U);
  EXPECT_EQ(outcome.recording.flows[0].span, (Span{Seconds(1.5), Seconds(2.5)}));
}

TEST(IdealExecutor, CommunicationsDoNotContend) {
  SmallJob job(2);
  for (int i = 0; i < 10; ++i)
    job.communicate(0, {over({0, 1}, Bytes(1e9))});
  EXPECT_EQ(run_ideal(job).makespan, Seconds(1));
}

// Ties end in task order, whatever the order in which they were started.
class EndOrder : public RunSink {
public:
  void task_ran(TaskId task, Seconds, Seconds) override { order.push_back(task.value()); }
  void flow_ran(const Flow&, Seconds, Seconds) override {}
  std::vector<std::uint32_t> order;
};

TEST(IdealExecutor, TasksThatEndTogetherEndInTaskOrder) {
  SmallJob job;
  const TaskIndex longer = job.compute(2);
  const TaskIndex shorter = job.compute(1);
  const TaskIndex after_longer = job.compute(1, {longer});
  const TaskIndex after_shorter = job.compute(2, {shorter});
  const graph::TaskGraph graph = job.graph();
  EndOrder sink;
  IdealExecutor().run(graph, job.costs, sink);
  EXPECT_EQ(sink.order, (std::vector{shorter, longer, after_longer, after_shorter}));
}

TEST(IdealExecutor, ReportsProgress) {
  SmallJob job;
  for (std::size_t i = 0; i < 2 * progress_interval + 1; ++i)
    job.compute(1);
  const graph::TaskGraph graph = job.graph();
  Recording sink(graph.task_count());
  std::vector<std::size_t> calls;
  IdealExecutor().run(graph, job.costs, sink, [&](std::size_t done, std::size_t total) {
    calls.push_back(done);
    EXPECT_EQ(total, graph.task_count());
  });
  EXPECT_EQ(calls, (std::vector{progress_interval, 2 * progress_interval, 2 * progress_interval + 1}));
}

TEST(IdealExecutor, RefusesACycle) {
  SmallJob job;
  job.compute(1, {0});
  EXPECT_THROW(run_ideal(job), InternalError);
}

} // namespace
} // namespace moesim::execution
