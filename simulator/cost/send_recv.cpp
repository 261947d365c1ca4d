#include <algorithm>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
using platforms::Path;

namespace {

// What sending the bytes to one peer takes besides the bytes over whole ports: inside the node, over NICs, or both
// where a GPU passes the message on.
Seconds latency_of(Bytes size, std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster)) {
    const Seconds sent = size / node_bandwidth(cluster, 2);
    const double efficiency = in_node_efficiency(std::min(from, to), std::max(from, to), cluster);
    return fastest(send_protocols(cluster, false), {1, 0}, {sent / efficiency, Seconds()}) - sent;
  }
  const std::uint32_t relay = relay_of(cluster, from, to);
  const Seconds sent = size / nic_bandwidth(cluster);
  const Steps steps{1, 1, latency_between(cluster, relay, to)};
  return fastest(send_protocols(cluster, true), steps, {Seconds(), sent}) - sent +
         (relay == from ? Seconds(0) : cluster.node_port().latency);
}

} // namespace

execution::Communication send_recv(const Call& call, RankId source, RankId destination,
                                   const platforms::Cluster& cluster) {
  const std::uint32_t from = source.value();
  const std::uint32_t to = destination.value();
  return {.latency = latency_of(call.size, from, to, cluster), .flows = {message(from, to, call.size, cluster)}};
}

execution::Communication ring_exchange(const Call& call, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const std::uint32_t self = members[member].value();
    const std::uint32_t next = members[(member + 1) % members.size()].value();
    const std::uint32_t previous = members[(member + members.size() - 1) % members.size()].value();
    result.latency = std::max(result.latency, latency_of(call.size, self, next, cluster));
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
