#include "simulator/cost/protocol.hpp"

#include <algorithm>
#include <limits>

namespace moesim::cost {

using platforms::Protocol;

ProtocolList collective_protocols(const platforms::Cluster& cluster) {
  const platforms::Protocols& shares = cluster.protocols;
  ProtocolList protocols{{.latency = cluster.collective_latency,
                          .nvlink_latency = cluster.node_port().latency,
                          .nic_latency = cluster.nic.latency,
                          .nvlink_efficiency = shares.ll_nvlink_efficiency,
                          .nic_efficiency = shares.ll_nic_efficiency}};
  if (shares.ll128)
    protocols.push_back(*shares.ll128);
  protocols.push_back({.latency = cluster.simple_collective_latency,
                       .nvlink_latency = cluster.node_port().simple_latency,
                       .nic_latency = cluster.nic.simple_latency,
                       .nvlink_efficiency = 1,
                       .nic_efficiency = shares.simple_nic_efficiency});
  return protocols;
}

ProtocolList tree_protocols(const platforms::Cluster& cluster) {
  ProtocolList protocols = collective_protocols(cluster);
  if (cluster.protocols.tree_nic_latency)
    protocols.back().nic_latency = *cluster.protocols.tree_nic_latency;
  for (Protocol& protocol : protocols) {
    protocol.nvlink_efficiency *= cluster.protocols.tree_efficiency;
    protocol.nic_efficiency *= cluster.protocols.tree_efficiency;
  }
  return protocols;
}

ProtocolList send_protocols(const platforms::Cluster& cluster, bool spans_nodes) {
  ProtocolList protocols;
  if (cluster.protocols.send_ll)
    protocols.push_back(*cluster.protocols.send_ll);
  if (cluster.protocols.send_simple)
    protocols.push_back(*cluster.protocols.send_simple);
  if (protocols.empty())
    protocols.push_back(
        {.latency = cluster.collective_latency + (spans_nodes ? cluster.nic : cluster.node_port()).latency});
  return protocols;
}

Seconds fastest(const ProtocolList& protocols, Steps steps, Transfer transfer) {
  Seconds least(std::numeric_limits<double>::infinity());
  for (const Protocol& protocol : protocols)
    least = std::min(least,
                     protocol.latency + steps.near * protocol.nvlink_latency +
                         steps.far * (protocol.nic_latency + steps.hop) +
                         std::max(transfer.near / protocol.nvlink_efficiency, transfer.far / protocol.nic_efficiency));
  return least;
}

} // namespace moesim::cost
