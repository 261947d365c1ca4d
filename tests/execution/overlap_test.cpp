// Laws of kernels beside communication, on random graphs: work is the integral of the speed, the executors agree where
// nothing contends, and nothing gets faster.
#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "tests/execution/run_in_child.hpp"

namespace moesim::execution {
namespace {

using graph::Stream;

enum class Contention { None, Some };

// Draws kernels and communications, in order of their streams, each now and then after some other task; on links of
// their own unless contention is wanted.
class Overlaps {
public:
  Overlaps(std::uint32_t seed, Contention contention) : random_(seed), contention_(contention) {}

  SmallJob draw() {
    for (TaskIndex task = 0; task < 500; ++task)
      add(task);
    return job_;
  }

private:
  static constexpr std::uint32_t ranks = 6;
  static constexpr std::array streams{Stream::Compute, Stream::Tp, Stream::Dp, Stream::PpSendNext};

  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  void add(TaskIndex task) {
    const std::uint32_t kind = below(streams.size());
    const Stream stream = streams[kind];
    const std::uint32_t width = stream == Stream::Compute ? 1 : stream == Stream::PpSendNext ? 2 : 1 + below(3);
    std::vector<std::uint32_t> members(width, below(ranks));
    for (std::uint32_t i = 0; i < width; ++i)
      members[i] = (members[i] + i) % ranks;
    std::vector<TaskIndex> after;
    for (const std::uint32_t rank : members)
      if (const auto before = last_.find({stream, rank}); before != last_.end())
        after.push_back(before->second);
    if (task > 0 && below(3) == 0)
      after.push_back(task - 1 - below(std::min<std::size_t>(task, 20)));
    if (stream == Stream::Compute)
      job_.compute(1e-6 * below(1000), after, members[0]);
    else
      job_.communicate(1e-6 * below(50), flows(members, contention_ == Contention::Some ? 0 : kind), after,
                       {.stream = stream, .ranks = members});
    for (const std::uint32_t rank : members)
      last_[{stream, rank}] = task;
  }

  std::vector<Flow> flows(const std::vector<std::uint32_t>& members, std::uint32_t kind) {
    std::vector<Flow> flows(members.size());
    for (std::size_t i = 0; i < members.size(); ++i)
      flows[i] = over({members[i] + ranks * kind}, Bytes(1e3 * below(1000)));
    return flows;
  }

  std::mt19937 random_;
  Contention contention_;
  SmallJob job_ = job_of_four(ranks * streams.size());
  std::map<std::pair<Stream, std::uint32_t>, TaskIndex> last_;
};

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
  const SmallJob job = Overlaps(GetParam(), Contention::Some).draw();
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
  const SmallJob job = Overlaps(GetParam(), Contention::None).draw();
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
  SmallJob job = Overlaps(GetParam(), Contention::None).draw();
  IdealExecutor ideal;
  const Outcome slowed = run(ideal, job);
  job.costs.multiprocessors = {};
  const Outcome unslowed = run(ideal, job);
  for (std::size_t task = 0; task < slowed.recording.tasks.size(); ++task)
    EXPECT_GE(slowed.recording.tasks[task].end, unslowed.recording.tasks[task].end * (1 - 1e-12)) << "task " << task;
}

INSTANTIATE_TEST_SUITE_P(Overlap, RandomOverlap, testing::Range(1U, 6U));

} // namespace
} // namespace moesim::execution
