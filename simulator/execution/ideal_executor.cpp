#include "simulator/execution/ideal_executor.hpp"

#include "simulator/execution/calendar.hpp"
#include "simulator/execution/run_state.hpp"

namespace moesim::execution {

Seconds IdealExecutor::run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress) {
  check(graph, costs);
  const std::vector<Seconds> times = idle_times(graph, costs);
  RunState state(graph, sink, progress);
  Calendar calendar;

  state.begin([&](std::uint32_t task) { calendar.add({times[task], task}); });
  while (!calendar.empty()) {
    const Entry ended = calendar.take();
    if (graph.tasks()[ended.task].kind != graph::Kind::Compute)
      state.report_flows(ended.task, costs.communications[costs.of_task[ended.task]], ended.date);
    state.end(ended.task, ended.date, [&](std::uint32_t next) { calendar.add({ended.date + times[next], next}); });
  }
  return state.finish();
}

} // namespace moesim::execution
