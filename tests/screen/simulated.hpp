// What a bound is compared with: the simulated time of a scenario.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <variant>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/execution/simgrid_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/screen/screen.hpp"

namespace moesim::screen {

// On links that nobody else uses.
inline Seconds ideal_time(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return Seconds(run::simulate(scenario, executor, {}).figures.makespan);
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
    seconds = run::simulate(scenario, executor, {}).figures.makespan;
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
