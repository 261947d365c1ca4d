// How long a scenario takes, for tests that compare times only.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"

namespace moesim::run {

// On links that nobody else uses.
inline Seconds ideal_time(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return Seconds(simulate(scenario, executor, {}).figures.makespan);
}

// As the scenario says, in a process of its own, since SimGrid runs one simulation per process; negative when that
// fails.
inline Seconds simulated_time(const scenario::Scenario& scenario) {
  double seconds = -1;
  int ends[2];
  if (pipe(ends) != 0)
    return Seconds(seconds);
  const pid_t child = fork();
  if (child == 0) {
    seconds = simulate(scenario, {}).figures.makespan;
    _exit(write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  close(ends[1]);
  if (read(ends[0], &seconds, sizeof seconds) != sizeof seconds)
    seconds = -1;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return Seconds(seconds);
}

} // namespace moesim::run
