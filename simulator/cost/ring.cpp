#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

// The member of a node that the one with this index in another node exchanges with.
std::uint32_t peer_in(const std::vector<std::uint32_t>& node, std::size_t index) {
  return node[std::min(index, node.size() - 1)];
}

// A ring over all rails. One that crosses the node boundary enters a node at one member and leaves it at another, one
// hop less than the node has members on; one that stays inside the node moves everything at each of its hops.
class Ring {
public:
  Ring(Bytes moved, std::span<const RankId> members, const platforms::Cluster& cluster)
      : moved_(moved), nodes_(by_node(members, cluster)), cluster_(cluster) {}

  [[nodiscard]] double boundaries() const { return static_cast<double>(nodes_.size() - 1); }

  // How long the flows take on whole links.
  [[nodiscard]] Seconds transfer() const {
    Seconds longest;
    for (const std::vector<std::uint32_t>& node : nodes_) {
      if (node.size() > 1)
        longest = std::max(longest, in_node_from(node) / node_bandwidth(cluster_, std::ssize(node)));
      longest = std::max(longest, over_nic_from(node) / nic_bandwidth(cluster_));
    }
    return longest;
  }

  // What the switches and PCIe on the way add to a step between nodes: the mean over the ring.
  [[nodiscard]] Seconds hop() const {
    Seconds sum;
    for (std::size_t at = 0; at < nodes_.size() && nodes_.size() > 1; ++at)
      sum += latency_at(cluster_, ascent_to(nodes_[at].front(), next_of(at).front(), cluster_).level);
    return sum / static_cast<double>(nodes_.size());
  }

  // What each member sends and receives, as a flow for each tier.
  [[nodiscard]] std::vector<execution::Flow> of_members() const {
    std::vector<execution::Flow> flows;
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      const std::vector<std::uint32_t>& node = nodes_[at];
      const std::vector<std::uint32_t>& previous = nodes_[(at + nodes_.size() - 1) % nodes_.size()];
      for (std::size_t index = 0; index < node.size(); ++index) {
        const std::uint32_t gpu = node[index];
        if (node.size() > 1)
          add_in_node(gpu, node, in_node_from(node), cluster_, flows);
        if (nodes_.size() > 1)
          flows.push_back(over_nic(gpu, ascent_to(gpu, peer_in(next_of(at), index), cluster_),
                                   ascent_to(peer_in(previous, index), gpu, cluster_), over_nic_from(node), cluster_));
      }
    }
    return flows;
  }

  // One of `steps`: what each member sends to the next in its node, and to that of the same index in the next node;
  // in a mesh, to all others of its node, since as many rings go over its cables.
  [[nodiscard]] std::vector<execution::Flow> of_step(double steps) const {
    std::vector<execution::Flow> flows;
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      const std::vector<std::uint32_t>& node = nodes_[at];
      for (std::size_t index = 0; index < node.size(); ++index) {
        if (node.size() > 1 && cluster_.node_network == platforms::NodeNetwork::Mesh)
          add_in_node(node[index], node, in_node_from(node) / steps, cluster_, flows);
        else if (node.size() > 1)
          flows.push_back(message(node[index], node[(index + 1) % node.size()], in_node_from(node) / steps, cluster_));
        if (nodes_.size() > 1)
          flows.push_back(message(node[index], peer_in(next_of(at), index), over_nic_from(node) / steps, cluster_));
      }
    }
    return flows;
  }

private:
  [[nodiscard]] const std::vector<std::uint32_t>& next_of(std::size_t node) const {
    return nodes_[(node + 1) % nodes_.size()];
  }
  [[nodiscard]] Bytes in_node_from(const std::vector<std::uint32_t>& node) const {
    const auto local = static_cast<double>(node.size());
    return (nodes_.size() > 1 ? (local - 1) / local : 1) * moved_;
  }
  [[nodiscard]] Bytes over_nic_from(const std::vector<std::uint32_t>& node) const {
    return nodes_.size() == 1 ? Bytes() : moved_ / static_cast<double>(node.size());
  }

  Bytes moved_; // over each hop of the ring
  NodeGroups nodes_;
  const platforms::Cluster& cluster_;
};

} // namespace

execution::Communication ring(const Call& call, std::span<const RankId> members, const platforms::Cluster& cluster) {
  const auto count = static_cast<double>(members.size());
  const double rounds = call.kind == graph::Kind::AllReduce ? 2 : 1; // all-reduce: reduce-scatter, then all-gather
  const Ring ring(rounds * (count - 1) / count * call.size, members, cluster);
  const Steps steps{rounds * (count - 1 - ring.boundaries()), rounds * ring.boundaries()};
  const double all_steps = steps.near + steps.far;
  // A chunk passes every rank once more than it is sent: the first of its steps only sends, the last only receives.
  const Seconds transfer = ring.transfer();
  const Seconds exposed = transfer * (cluster.ring_exposed_steps / all_steps);
  const Seconds latency =
      exposed + protocol_latency(cluster, steps, steps, transfer + exposed) + steps.far * ring.hop();
  if (call.fidelity != Fidelity::Flow)
    return {.latency = latency, .flows = ring.of_members()};
  const std::vector<execution::Flow> step = ring.of_step(all_steps);
  execution::Communication result{.latency = latency / all_steps, .flows = step};
  if (all_steps > 1)
    result.then.push_back({latency / all_steps, step, static_cast<std::uint32_t>(all_steps) - 1});
  return result;
}

} // namespace moesim::cost
