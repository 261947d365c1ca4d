#include "simulator/cost/all_to_all_v.hpp"

#include "simulator/cost/exchange.hpp"
#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {

execution::Communication all_to_all_v(const Traffic& traffic, Fidelity fidelity, std::span<const RankId> members,
                                      const platforms::Cluster& cluster) {
  const Exchange exchange(traffic, members, cluster);
  if (members.size() < 2 || exchange.is_empty())
    return {};
  const Group group(members, cluster);
  const Transfer sent = exchange.transfer(group);
  Transfer slowed = exchange.transfer(group, cluster.protocols.own_part);
  slowed.near = slowed.near / (cluster.protocols.all_to_all_efficiency * group.in_node_efficiency());
  // Pairs on rails that stay apart are passed on by others, which makes each its own case.
  const bool is_relayed = group.spans_nodes() && cluster.fabric.rails == platforms::Rails::Apart;
  const Seconds to_relay = is_relayed ? cluster.node_port().latency : Seconds();
  const Seconds time =
      to_relay + fastest(send_protocols(cluster, group.spans_nodes()),
                         {group.members() - 1, group.spans_nodes() ? 1.0 : 0.0, group.longest_hop()}, slowed);
  return {.latency = time - sent.longest(),
          .flows = fidelity == Fidelity::Flow || is_relayed ? exchange.by_pair() : exchange.by_side(),
          .sharing = fidelity == Fidelity::Analytic ? execution::Sharing::None : execution::Sharing::Links};
}

} // namespace moesim::cost
