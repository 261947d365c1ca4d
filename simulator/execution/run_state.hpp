// What is left of a run: which tasks still wait for how many others, and when the running ones started. Both executors
// share it; they differ only in how long a started task takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulator/base/check.hpp"
#include "simulator/execution/executor.hpp"

namespace moesim::execution {

class RunState {
public:
  // All references must outlive the run.
  RunState(const graph::TaskGraph& graph, RunSink& sink, const Progress& progress)
      : graph_(graph), sink_(sink), progress_(progress), waits_for_(graph.predecessor_counts()),
        starts_(graph.task_count()) {}

  // Calls start(task) for each task that waits for nothing, in task order.
  template <class Start>
  void begin(Start&& start) {
    for (std::uint32_t task = 0; task < waits_for_.size(); ++task)
      if (waits_for_[task] == 0)
        start(task);
  }

  // Ends `task` and calls start(successor) for each task that waited for it only.
  template <class Start>
  void end(std::uint32_t task, Seconds now, Start&& start) {
    sink_.task_ran(TaskId(task), starts_[task], now);
    makespan_ = now;
    if (++done_ % progress_interval == 0 && progress_)
      progress_(done_, graph_.task_count());
    for (const std::uint32_t successor : graph_.successors(TaskId(task))) {
      if (--waits_for_[successor] == 0) {
        starts_[successor] = now;
        start(successor);
      }
    }
  }

  // A started task may wait again, for its flows; one_flow_less() returns how many are left.
  void wait_for_flows(std::uint32_t task, std::uint32_t flows) { waits_for_[task] = flows; }
  [[nodiscard]] std::uint32_t one_flow_less(std::uint32_t task) { return --waits_for_[task]; }

  // Tells the sink when the flows of `task` ran that took its idle time until now, each wave as long as on idle links.
  void report_flows(std::uint32_t task, const Communication& communication, const std::vector<Link>& links,
                    Seconds now) {
    if (communication.then.empty()) {
      report_wave(communication.flows, starts_[task] + communication.latency, now);
      return;
    }
    Seconds start = starts_[task];
    for_each_wave(communication, [&](Seconds latency, const std::vector<Flow>& flows, std::uint32_t times) {
      const Seconds length = idle_time({latency, flows}, links);
      for (std::uint32_t at = 0; at < times; ++at) {
        report_wave(flows, start + latency, start + length);
        start += length;
      }
    });
  }

  // The end of the last task. Throws InternalError when some task never ran.
  [[nodiscard]] Seconds finish() const {
    if (done_ != graph_.task_count())
      (void)graph::topological_order(graph_); // names the tasks of the cycle that keeps the others waiting
    MOESIM_CHECK(done_ == graph_.task_count(), "every task runs");
    if (progress_)
      progress_(done_, done_);
    return makespan_;
  }

private:
  void report_wave(const std::vector<Flow>& flows, Seconds start, Seconds end) {
    for (const Flow& flow : flows)
      if (flow.bytes > Bytes())
        sink_.flow_ran(flow, start, end);
  }

  const graph::TaskGraph& graph_;
  RunSink& sink_;
  const Progress& progress_;
  std::vector<std::uint32_t> waits_for_;
  std::vector<Seconds> starts_;
  std::size_t done_ = 0;
  Seconds makespan_; // tasks end in order of time
};

} // namespace moesim::execution
