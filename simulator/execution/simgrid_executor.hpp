// Runs a task graph on SimGrid, which shares links between the flows that cross them at the same time (max-min fair).
//
// SimGrid keeps the clock and the network; what takes a fixed time (compute, latency) is one date in our own calendar.
// Nothing is created before it starts, so memory follows the flows that are under way. One run per process: SimGrid
// keeps its clock and settings for as long as the process lives.
#pragma once

#include "simulator/execution/executor.hpp"

namespace moesim::execution {

class SimGridExecutor : public Executor {
public:
  // Throws InternalError when this process has run a SimGrid simulation before.
  Seconds run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress = {}) override;
};

} // namespace moesim::execution
