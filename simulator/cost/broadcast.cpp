#include <algorithm>

#include "simulator/cost/families.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

// Over whole ports: the root's node is a chain, of which each hop carries everything.
Transfer transfer_of(const Call& call, const Group& group) {
  double fewest = group.most_local();
  for (const std::vector<std::uint32_t>& node : group.nodes())
    fewest = std::min(fewest, static_cast<double>(node.size()));
  return transfer(group, [&](double local) {
    return Shares{local > 1 ? call.size : Bytes(), group.spans_nodes() ? call.size / fewest : Bytes()};
  });
}

void add_chain(Flows& flows, std::vector<std::uint32_t> node, std::uint32_t root, Bytes size,
               const platforms::Cluster& cluster) {
  std::ranges::rotate(node, std::ranges::find(node, root));
  for (std::size_t index = 1; index < node.size(); ++index)
    flows.push_back(message(node[index - 1], node[index], size, cluster));
}

} // namespace

Seconds broadcast_time(const Call& call, const Group& group) {
  const double boundaries = group.node_count() - 1;
  Transfer sent = transfer_of(call, group);
  sent.near = sent.near / group.in_node_efficiency();
  return fastest(collective_protocols(group.cluster()),
                 {group.members() - 1 - boundaries, boundaries, group.mean_hop()}, sent);
}

execution::Communication broadcast(const Call& call, std::uint32_t root, const Group& group) {
  const platforms::Cluster& cluster = group.cluster();
  NodeGroups nodes = group.nodes();
  std::ranges::rotate(nodes, std::ranges::find_if(nodes, [&](const std::vector<std::uint32_t>& node) {
                        return std::ranges::binary_search(node, root);
                      }));
  Flows flows;
  add_chain(flows, nodes.front(), root, call.size, cluster);
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    const std::vector<std::uint32_t>& node = nodes[at];
    const auto local = static_cast<double>(node.size());
    for (std::size_t index = 0; index < node.size(); ++index) {
      // What comes in on a rail goes around the node to the members of the others.
      if (at > 0 && node.size() > 1)
        flows.push_back(
            message(node[index], node[(index + 1) % node.size()], (local - 1) / local * call.size, cluster));
      if (at + 1 < nodes.size())
        flows.push_back(message(node[index], peer_in(nodes[at + 1], index), call.size / local, cluster));
    }
  }
  return {.latency = broadcast_time(call, group) - transfer_of(call, group).longest(), .flows = std::move(flows)};
}

} // namespace moesim::cost
