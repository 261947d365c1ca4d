// What a bound is compared with: the simulated time of a scenario.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <variant>

#include "simulator/cost/cost_table.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/screen/screen.hpp"

namespace moesim::screen {

class IgnoreAll : public execution::RunSink {
public:
  void task_ran(TaskId, Seconds, Seconds) override {}
  void flow_ran(const execution::Flow&, Seconds, Seconds) override {}
};

inline Seconds time_by(execution::Executor& executor, const scenario::Scenario& scenario) {
  const graph::TaskGraph graph = run::task_graph(scenario);
  IgnoreAll sink;
  return executor.run(graph, cost::cost_table(graph, scenario.cluster), sink, {});
}

// On links that nobody else uses.
inline Seconds ideal_time(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return time_by(executor, scenario);
}

// On links that are shared, in a process of its own, since SimGrid runs one simulation per process.
inline Seconds fluid_time(const scenario::Scenario& scenario) {
  double seconds = -1;
  int ends[2];
  if (pipe(ends) != 0)
    return Seconds(seconds);
  const pid_t child = fork();
  if (child == 0) {
    execution::SimGridExecutor executor(execution::Network::Fluid);
    seconds = time_by(executor, scenario).value();
    _exit(write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  close(ends[1]);
  if (read(ends[0], &seconds, sizeof seconds) != sizeof seconds)
    seconds = -1;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return Seconds(seconds);
}

inline Seconds bound_of(const scenario::Scenario& scenario) {
  Screen screen(scenario.cluster, scenario.rank_order);
  return std::visit([&](const auto& job) { return screen.lower_bound(job); }, scenario.work);
}

} // namespace moesim::screen
