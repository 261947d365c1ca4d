#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {

using platforms::Path;

namespace {

// Of a message: its steps inside the node, before a NIC if any, and over NICs.
Seconds latency_of(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  const Seconds in_node = cluster.node_port().latency;
  if (share_a_node(from, to, cluster))
    return cluster.collective_latency + in_node;
  const std::uint32_t relay = relay_of(cluster, from, to);
  return cluster.collective_latency + cluster.nic.latency + latency_between(cluster, relay, to) +
         (relay == from ? Seconds(0) : in_node);
}

} // namespace

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  const std::uint32_t from = source.value();
  const std::uint32_t to = destination.value();
  return {.latency = latency_of(from, to, cluster), .flows = {message(from, to, size, cluster)}};
}

execution::Communication ring_exchange(const Call& call, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const std::uint32_t self = members[member].value();
    const std::uint32_t next = members[(member + 1) % members.size()].value();
    const std::uint32_t previous = members[(member + members.size() - 1) % members.size()].value();
    result.latency = std::max(result.latency, latency_of(self, next, cluster));
    if (call.fidelity == Fidelity::Flow) {
      result.flows.push_back(message(self, next, call.size, cluster));
      continue;
    }
    const Path out = way_out(self, next, cluster);
    const Path in = way_in(previous, self, cluster);
    if (share_a_node(self, next, cluster) == share_a_node(previous, self, cluster)) {
      result.flows.push_back({joined(out, in), call.size});
      continue;
    }
    for (const Path* path : {&out, &in})
      if (!path->empty())
        result.flows.push_back({joined(*path, {}), call.size});
  }
  return result;
}

} // namespace moesim::cost
