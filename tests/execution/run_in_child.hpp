// SimGrid in a process of its own, since it runs one simulation in each: for tests that run several.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include <gtest/gtest.h>

#include "simulator/execution/simgrid_executor.hpp"
#include "tests/execution/small_job.hpp"

namespace moesim::execution {

// The start and end of every task, then of every flow, in the order of the sink.
using Times = std::vector<double>;

inline Times times_of(const Recording& recording) {
  Times times;
  for (const Recording::Span& span : recording.tasks)
    times.insert(times.end(), {span.start.value(), span.end.value()});
  for (const Recording::FlowSpan& flow : recording.flows)
    times.insert(times.end(), {flow.span.start.value(), flow.span.end.value()});
  return times;
}

enum class Network {
  Analytic, // no communication shares its links
  Fluid,    // all do
};

inline Times run_in_child(Network network, SmallJob job) {
  for (Communication& communication : job.costs.communications)
    communication.sharing = network == Network::Fluid ? Sharing::Links : Sharing::None;
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    SimGridExecutor executor;
    const Times times = times_of(run(executor, job).recording);
    FILE* out = fdopen(ends[1], "w");
    const bool written = std::fwrite(times.data(), sizeof(double), times.size(), out) == times.size();
    _exit(std::fclose(out) == 0 && written ? 0 : 1);
  }
  close(ends[1]);
  FILE* in = fdopen(ends[0], "r");
  Times times;
  double value = 0;
  while (std::fread(&value, sizeof value, 1, in) == 1)
    times.push_back(value);
  std::fclose(in);
  int status = 1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return times;
}

} // namespace moesim::execution
