#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {
namespace {

Seconds latency_of(bool inside_node, const platforms::Cluster& cluster) {
  return cluster.collective_latency + (inside_node ? cluster.nvlink : cluster.nic).latency;
}

} // namespace

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  const std::uint32_t from = source.value();
  const std::uint32_t to = destination.value();
  return {.latency = latency_of(share_a_node(from, to, cluster), cluster), .flows = {message(from, to, size, cluster)}};
}

execution::Communication ring_exchange(const Call& call, std::span<const RankId> members,
                                       const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const std::uint32_t self = members[member].value();
    const std::uint32_t next = members[(member + 1) % members.size()].value();
    const std::uint32_t previous = members[(member + members.size() - 1) % members.size()].value();
    const bool sends_inside = share_a_node(self, next, cluster);
    result.latency = std::max(result.latency, latency_of(sends_inside, cluster));
    if (call.fidelity == Fidelity::Flow) {
      result.flows.push_back(message(self, next, call.size, cluster));
      continue;
    }
    const Route out = way_out(self, next, cluster);
    const Route in = way_in(previous, self, cluster);
    if (sends_inside == share_a_node(previous, self, cluster)) {
      result.flows.push_back({joined(out, in), call.size});
    } else {
      result.flows.push_back({out, call.size});
      result.flows.push_back({in, call.size});
    }
  }
  return result;
}

} // namespace moesim::cost
