#include "simulator/execution/ideal_executor.hpp"

#include "simulator/execution/delays.hpp"
#include "simulator/execution/run_state.hpp"

namespace moesim::execution {

Seconds IdealExecutor::run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress) {
  check(graph, costs);
  RunState state(graph, sink, progress);
  Delays delays(graph, costs);

  state.begin([&](std::uint32_t task) { delays.start(task, Seconds()); });
  while (!delays.empty()) {
    const Entry over = delays.take();
    if (delays.communicates(over.task))
      state.report_flows(over.task, costs.communications[costs.of_task[over.task]], costs.links, over.date);
    delays.end(over.task, over.date);
    state.end(over.task, over.date, [&](std::uint32_t next) { delays.start(next, over.date); });
  }
  return state.finish();
}

} // namespace moesim::execution
