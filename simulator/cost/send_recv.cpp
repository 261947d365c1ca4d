#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {

using platforms::link_of;
using platforms::LinkKind;

namespace {

bool share_a_node(RankId a, RankId b, const platforms::Cluster& cluster) {
  return cluster.node_of(a.value()) == cluster.node_of(b.value());
}

Seconds latency_of(bool inside_node, const platforms::Cluster& cluster) {
  return cluster.collective_latency + (inside_node ? cluster.nvlink : cluster.nic).latency;
}

Route way_out(RankId from, RankId to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster))
    return {{link_of(from.value(), LinkKind::NvlinkUp)}};
  return out_of_nic(from.value(), leaf_between(from.value(), to.value(), cluster), cluster);
}

Route way_in(RankId from, RankId to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster))
    return {{link_of(to.value(), LinkKind::NvlinkDown)}};
  return into_nic(to.value(), leaf_between(to.value(), from.value(), cluster), cluster);
}

} // namespace

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  return {latency_of(share_a_node(source, destination, cluster), cluster),
          {{joined(way_out(source, destination, cluster), way_in(source, destination, cluster)), size}}};
}

execution::Communication ring_exchange(Bytes size, std::span<const RankId> members, const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const RankId self = members[member];
    const RankId next = members[(member + 1) % members.size()];
    const RankId previous = members[(member + members.size() - 1) % members.size()];
    const bool sends_inside = share_a_node(self, next, cluster);
    const Route out = way_out(self, next, cluster);
    const Route in = way_in(previous, self, cluster);
    result.latency = std::max(result.latency, latency_of(sends_inside, cluster));
    if (sends_inside == share_a_node(previous, self, cluster)) {
      result.flows.push_back({joined(out, in), size});
    } else {
      result.flows.push_back({out, size});
      result.flows.push_back({in, size});
    }
  }
  return result;
}

} // namespace moesim::cost
