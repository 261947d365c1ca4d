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

execution::Crossing out_of(RankId rank, bool inside_node) {
  return {link_of(rank.value(), inside_node ? LinkKind::NvlinkUp : LinkKind::NicUp)};
}

execution::Crossing into(RankId rank, bool inside_node) {
  return {link_of(rank.value(), inside_node ? LinkKind::NvlinkDown : LinkKind::NicDown)};
}

} // namespace

execution::Communication send_recv(Bytes size, RankId source, RankId destination, const platforms::Cluster& cluster) {
  const bool inside_node = share_a_node(source, destination, cluster);
  return {latency_of(inside_node, cluster), {{{out_of(source, inside_node), into(destination, inside_node)}, size}}};
}

execution::Communication ring_exchange(Bytes size, std::span<const RankId> members, const platforms::Cluster& cluster) {
  execution::Communication result;
  for (std::size_t member = 0; member < members.size(); ++member) {
    const RankId self = members[member];
    const bool sends_inside = share_a_node(self, members[(member + 1) % members.size()], cluster);
    const bool receives_inside = share_a_node(members[(member + members.size() - 1) % members.size()], self, cluster);
    result.latency = std::max(result.latency, latency_of(sends_inside, cluster));
    if (sends_inside == receives_inside) {
      result.flows.push_back({{out_of(self, sends_inside), into(self, receives_inside)}, size});
    } else {
      result.flows.push_back({{out_of(self, sends_inside)}, size});
      result.flows.push_back({{into(self, receives_inside)}, size});
    }
  }
  return result;
}

} // namespace moesim::cost
