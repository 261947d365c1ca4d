// The oracle: every link is idle whenever a communication wants it. A task starts when the last one it waits for ends
// and takes its idle time, a kernel longer beside communication (delays.hpp); at equal times tasks end in task order.
#pragma once

#include "simulator/execution/executor.hpp"

namespace moesim::execution {

class IdealExecutor : public Executor {
public:
  Seconds run(const graph::TaskGraph& graph, const Costs& costs, RunSink& sink, const Progress& progress = {}) override;
};

} // namespace moesim::execution
