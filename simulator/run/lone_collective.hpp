// A collective by itself on a cluster, as nccl-tests measures one: what `moesim collective` prints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/cost/communication.hpp"

namespace moesim::run {

// The first `group` GPUs in rank order communicate alone, with one size after the other.
struct LoneCollective {
  graph::Kind kind = graph::Kind::AllReduce;
  std::uint32_t group = 2;                           // ranks, at least 2
  std::vector<Bytes> sizes;                          // as nccl-tests counts them
  graph::TokenRouting routing{};                     // of Dispatch and Combine
  cost::Algorithm algorithm = cost::Algorithm::Auto; // one for the kind
  cost::Fidelity fidelity = cost::Fidelity::Fluid;
};

struct LoneTime {
  Seconds time;
  cost::Algorithm algorithm = cost::Algorithm::Auto; // that was used
};

// By size. Fluid and flow run on SimGrid, once per process; analytic is idle_time(). Requires the cluster to have
// `group` GPUs.
[[nodiscard]] std::vector<LoneTime> times_alone(const LoneCollective& collective, const platforms::Cluster& cluster);

// nccl-tests' bus bandwidth over its algorithm bandwidth (size / time): NVIDIA/nccl-tests, doc/PERFORMANCE.md.
[[nodiscard]] double bus_factor(graph::Kind kind, std::uint32_t group);

} // namespace moesim::run
