// What a collective takes besides its flows, by the protocol that NCCL picks: LL starts fast and carries a flag beside
// each word, LL128 one beside 120 bytes, Simple fills the links and synchronises at each step. The fastest one counts
// (NCCL, src/graph/tuning.cc: time = latency + size / bandwidth for each protocol, of which the least is taken).
#pragma once

#include <boost/container/static_vector.hpp>

#include "platforms/cluster.hpp"
#include "simulator/cost/group.hpp"

namespace moesim::cost {

// Steps that follow each other, inside nodes and between them.
struct Steps {
  double near = 0;
  double far = 0;
  Seconds hop{}; // what each of those between nodes takes besides the latency of the NIC

  [[nodiscard]] double all() const { return near + far; }
};

using ProtocolList = boost::container::static_vector<platforms::Protocol, 3>;

// LL, LL128 where the cluster has it, and Simple last.
[[nodiscard]] ProtocolList collective_protocols(const platforms::Cluster& cluster);
// The same of trees, whose steps between nodes may take other times.
[[nodiscard]] ProtocolList tree_protocols(const platforms::Cluster& cluster);
// Those of sends and receives: nvlink_latency is for each peer, nic_latency once. `spans_nodes`: whether one of them is
// between nodes.
[[nodiscard]] ProtocolList send_protocols(const platforms::Cluster& cluster, bool spans_nodes);

// How long the steps take by the fastest protocol, if the bytes take `transfer` over whole ports.
[[nodiscard]] Seconds fastest(const ProtocolList& protocols, Steps steps, Transfer transfer);

} // namespace moesim::cost
