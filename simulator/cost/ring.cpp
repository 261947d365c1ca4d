#include <algorithm>
#include <iterator>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

// The member of a node that the one with this index in another node exchanges with.
std::uint32_t peer_in(const std::vector<std::uint32_t>& node, std::size_t index) {
  return node[std::min(index, node.size() - 1)];
}

} // namespace

execution::Communication ring(graph::Kind kind, Bytes size, std::span<const RankId> members,
                              const platforms::Cluster& cluster) {
  const NodeGroups nodes = by_node(members, cluster);
  const auto count = static_cast<double>(members.size());
  const double rounds = kind == graph::Kind::AllReduce ? 2 : 1; // all-reduce: reduce-scatter, then all-gather
  const Bytes moved = rounds * (count - 1) / count * size;
  const auto between_nodes = static_cast<double>(nodes.size() - 1);

  execution::Communication result;
  Seconds transfer;
  Seconds hops; // of a chunk that goes all the way around
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto local = static_cast<double>(nodes[node].size());
    const auto& next = nodes[(node + 1) % nodes.size()];
    const auto& previous = nodes[(node + nodes.size() - 1) % nodes.size()];
    for (std::size_t index = 0; index < nodes[node].size(); ++index) {
      const std::uint32_t gpu = nodes[node][index];
      if (local > 1) {
        // A ring that crosses the node boundary enters a node at one member and leaves it at another, local - 1 hops
        // on; one that stays inside the node moves everything at each of its hops.
        const double share = nodes.size() > 1 ? (local - 1) / local : 1;
        add_in_node(gpu, nodes[node], share * moved, cluster, result.flows);
        transfer = std::max(transfer, share * moved / node_bandwidth(cluster, std::ssize(nodes[node])));
      }
      if (nodes.size() > 1) {
        const platforms::Ascent to = ascent_to(gpu, peer_in(next, index), cluster);
        const std::uint32_t sender = peer_in(previous, index);
        result.flows.push_back(over_nic(gpu, to, ascent_to(sender, gpu, cluster), moved / local, cluster));
        transfer = std::max(transfer, moved / local / nic_bandwidth(cluster));
        if (index == 0)
          hops += latency_at(cluster, to.level);
      }
    }
  }
  const Steps steps{rounds * (count - 1 - between_nodes), rounds * between_nodes};
  // A chunk passes every rank once more than it is sent: the first of its steps only sends, the last only receives.
  const Seconds exposed = transfer * (cluster.ring_exposed_steps / (steps.near + steps.far));
  result.latency = exposed + protocol_latency(cluster, steps, steps, transfer + exposed) +
                   hops * (steps.far / static_cast<double>(nodes.size()));
  return result;
}

} // namespace moesim::cost
