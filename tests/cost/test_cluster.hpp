// A small cluster with round figures.
#pragma once

#include "platforms/cluster.hpp"

namespace moesim::cost {

// `nodes` nodes of `gpus`: 100 B/s NVLink with 1 s a step, 10 B/s NICs with 5 s a step, 2 s to start any communication;
// by Simple 1.25 s, 6 s and 4 s.
inline platforms::Cluster test_cluster(std::int64_t nodes, std::int64_t gpus) {
  platforms::Cluster cluster;
  cluster.name = "test";
  cluster.nodes = nodes;
  cluster.gpus_per_node = gpus;
  cluster.nvlink = {BytesPerSecond(100), 1, Seconds(1), Seconds(1.25)};
  cluster.nic = {BytesPerSecond(10), 1, Seconds(5), Seconds(6)};
  cluster.collective_latency = Seconds(2);
  cluster.simple_collective_latency = Seconds(4);
  cluster.ring_exposed_steps = 0.5;
  cluster.gpu.memory_bandwidth = BytesPerSecond(1000);
  cluster.gpu.peak[static_cast<std::size_t>(Precision::Bf16)] = FlopsPerSecond(1e6);
  return cluster;
}

} // namespace moesim::cost
