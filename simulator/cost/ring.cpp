#include <algorithm>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

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
      longest = std::max(longest, over_nvlink_from(node) / cluster_.nvlink.effective());
      longest = std::max(longest, over_nic_from(node) / cluster_.nic.effective());
    }
    return longest;
  }

  // What each member sends and receives, as a flow for each tier.
  [[nodiscard]] std::vector<execution::Flow> of_members() const {
    std::vector<execution::Flow> flows;
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      const std::uint32_t next = nodes_[(at + 1) % nodes_.size()].front();
      const std::uint32_t previous = nodes_[(at + nodes_.size() - 1) % nodes_.size()].front();
      for (const std::uint32_t gpu : nodes_[at]) {
        if (nodes_[at].size() > 1)
          flows.push_back(over_nvlink(gpu, over_nvlink_from(nodes_[at])));
        if (nodes_.size() > 1)
          flows.push_back(over_nic(gpu, leaf_between(gpu, next, cluster_), leaf_between(gpu, previous, cluster_),
                                   over_nic_from(nodes_[at]), cluster_));
      }
    }
    return flows;
  }

  // One of `steps`: what each member sends to the next in its node, and to that of the same index in the next node.
  // Where that has fewer members, some get more.
  [[nodiscard]] std::vector<execution::Flow> of_step(double steps) const {
    std::vector<execution::Flow> flows;
    for (std::size_t at = 0; at < nodes_.size(); ++at) {
      const std::vector<std::uint32_t>& node = nodes_[at];
      const std::vector<std::uint32_t>& next = nodes_[(at + 1) % nodes_.size()];
      for (std::size_t index = 0; index < node.size(); ++index) {
        if (node.size() > 1)
          flows.push_back(
              message(node[index], node[(index + 1) % node.size()], over_nvlink_from(node) / steps, cluster_));
        if (nodes_.size() > 1)
          flows.push_back(message(node[index], next[index % next.size()], over_nic_from(node) / steps, cluster_));
      }
    }
    return flows;
  }

private:
  [[nodiscard]] Bytes over_nvlink_from(const std::vector<std::uint32_t>& node) const {
    const auto local = static_cast<double>(node.size());
    return local == 1 ? Bytes() : (nodes_.size() > 1 ? (local - 1) / local : 1) * moved_;
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
  const Seconds latency = exposed + protocol_latency(cluster, steps, steps, transfer + exposed);
  if (call.fidelity != Fidelity::Flow)
    return {.latency = latency, .flows = ring.of_members()};
  const std::vector<execution::Flow> step = ring.of_step(all_steps);
  execution::Communication result{.latency = latency / all_steps, .flows = step};
  if (all_steps > 1)
    result.then.push_back({latency / all_steps, step, static_cast<std::uint32_t>(all_steps) - 1});
  return result;
}

} // namespace moesim::cost
