// The job of chain_shape.hpp as a task graph and its costs: what the executors run where simgrid_floor runs Execs and
// Comms.
#pragma once

#include "simulator/execution/executor.hpp"
#include "tests/benchmarks/chain_shape.hpp"

struct ChainJob {
  moesim::graph::TaskGraph graph;
  moesim::execution::Costs costs;
};

[[nodiscard]] ChainJob chain_job(const ChainShape& shape);
