// A task graph with its costs, made by hand: job.compute(2ms), job.communicate(...), each with what it waits for.
// Unless a test says otherwise, everything happens on rank 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "simulator/execution/executor.hpp"

namespace moesim::execution {

using TaskIndex = std::uint32_t;

// Bytes that cross each of these links once.
inline Flow over(std::initializer_list<std::uint32_t> links, Bytes bytes) {
  Flow flow{{}, bytes};
  for (const std::uint32_t link : links)
    flow.route.push_back({link});
  return flow;
}

// Where a communication happens.
struct Place {
  graph::Stream stream = graph::Stream::Tp;
  std::vector<std::uint32_t> ranks{0}; // of a pipeline stream: source, destination
};

class SmallJob {
public:
  // `links` links of 1 GB/s.
  explicit SmallJob(std::size_t links = 0) {
    for (std::size_t i = 0; i < links; ++i)
      costs.links.push_back({"link" + std::to_string(i), BytesPerSecond(1e9)});
    parts_.works = {{}};
    parts_.names = {"task"};
    parts_.rank_count = 1;
  }

  TaskIndex compute(double seconds, const std::vector<TaskIndex>& after = {}, std::uint32_t rank = 0) {
    costs.durations.emplace_back(seconds);
    parts_.rank_count = std::max(parts_.rank_count, rank + 1);
    graph::Task task;
    task.place = rank;
    return add(task, costs.durations.size() - 1, after);
  }

  TaskIndex communicate(double latency, std::vector<Flow> flows, const std::vector<TaskIndex>& after = {},
                        const Place& place = {}) {
    costs.communications.push_back({Seconds(latency), std::move(flows)});
    graph::Task task;
    task.kind = place.stream >= graph::Stream::PpSendNext ? graph::Kind::SendRecv : graph::Kind::AllGather;
    task.stream = place.stream;
    task.place = static_cast<std::uint32_t>(parts_.groups.size());
    for (const std::uint32_t rank : place.ranks)
      parts_.rank_count = std::max(parts_.rank_count, rank + 1);
    parts_.groups.emplace_back(place.ranks.begin(), place.ranks.end());
    return add(task, costs.communications.size() - 1, after);
  }

  // From now on, kernels of the communications on `stream` hold this many multiprocessors.
  void take(graph::Stream stream, std::uint32_t multiprocessors) {
    costs.multiprocessors.taken[static_cast<std::size_t>(stream)] = multiprocessors;
  }

  [[nodiscard]] graph::TaskGraph graph() const { return graph::TaskGraph(parts_); }

  Costs costs;

private:
  TaskIndex add(const graph::Task& task, std::size_t cost, const std::vector<TaskIndex>& after) {
    const auto index = static_cast<TaskIndex>(parts_.tasks.size());
    parts_.tasks.push_back(task);
    costs.of_task.push_back(static_cast<std::uint32_t>(cost));
    for (const TaskIndex before : after)
      parts_.edges.emplace_back(before, index);
    return index;
  }

  graph::TaskGraph::Parts parts_;
};

// GPUs with four multiprocessors: communication on Tp takes one of them, on Dp two, at each end of a pipeline transfer
// one.
inline SmallJob job_of_four(std::size_t links = 0) {
  SmallJob job(links);
  job.costs.multiprocessors.all = 4;
  job.take(graph::Stream::Tp, 1);
  job.take(graph::Stream::Dp, 2);
  for (const graph::Stream stream :
       {graph::Stream::PpSendNext, graph::Stream::PpSendPrev, graph::Stream::PpRecvNext, graph::Stream::PpRecvPrev})
    job.take(stream, 1);
  return job;
}

// Keeps everything it is told.
class Recording : public RunSink {
public:
  struct Span {
    Seconds start;
    Seconds end;
    bool operator==(const Span&) const = default;
  };
  struct FlowSpan {
    Flow flow;
    Span span;
    bool operator==(const FlowSpan&) const = default;
  };

  explicit Recording(std::size_t task_count) : tasks(task_count) {}
  void task_ran(TaskId task, Seconds start, Seconds end) override {
    tasks[task.value()] = {start, end};
    ++task_calls;
  }
  void flow_ran(const Flow& flow, Seconds start, Seconds end) override { flows.push_back({flow, {start, end}}); }

  bool operator==(const Recording& other) const { return tasks == other.tasks && flows == other.flows; }

  std::vector<Span> tasks;
  std::vector<FlowSpan> flows;
  std::size_t task_calls = 0;
};

// What running `job` gave.
struct Outcome {
  Seconds makespan;
  Recording recording;
};

inline Outcome run(Executor& executor, const SmallJob& job) {
  const graph::TaskGraph graph = job.graph();
  Recording recording(graph.task_count());
  const Seconds makespan = executor.run(graph, job.costs, recording, {});
  return {makespan, std::move(recording)};
}

} // namespace moesim::execution
