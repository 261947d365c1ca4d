#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using Flows = std::vector<execution::Flow>;
using platforms::Ascent;
using platforms::Routing;
using Peers = std::map<Ascent, double>; // how many members of other nodes are so far away

// Where the members of a group are, for each of them.
class Survey {
public:
  Survey(const NodeGroups& nodes, const platforms::Cluster& cluster) : nodes_(nodes), cluster_(cluster) {
    for (const std::vector<std::uint32_t>& node : nodes)
      for (const std::uint32_t gpu : node) {
        ++in_leaf_[cluster.leaf_of(gpu)];
        ++in_pod_[cluster.pod_of(gpu)];
        ++all_;
      }
  }

  // The members that `gpu` of `node` sends to over its NIC, where uplinks share their load.
  [[nodiscard]] Peers by_level(std::uint32_t gpu, const std::vector<std::uint32_t>& node) const {
    double leaf = in_leaf_.at(cluster_.leaf_of(gpu));
    double pod = in_pod_.at(cluster_.pod_of(gpu));
    double all = all_;
    for (const std::uint32_t local : node) {
      leaf -= cluster_.leaf_of(local) == cluster_.leaf_of(gpu) ? 1 : 0;
      pod -= cluster_.pod_of(local) == cluster_.pod_of(gpu) ? 1 : 0;
      --all;
    }
    Peers peers;
    for (const auto& [level, members] : {std::pair(0, leaf), std::pair(1, pod - leaf), std::pair(2, all - pod)})
      if (members > 0)
        peers[{.level = static_cast<std::uint8_t>(level)}] = members;
    return peers;
  }

  enum class Way { Out, In };
  // The same by the uplinks on the way there, or back.
  [[nodiscard]] Peers by_uplink(std::uint32_t gpu, const std::vector<std::uint32_t>& node, Way way) const {
    Peers peers;
    for (const std::vector<std::uint32_t>& other : nodes_)
      if (&other != &node)
        for (const std::uint32_t peer : other)
          ++peers[way == Way::Out ? ascent_between(cluster_, gpu, peer) : ascent_between(cluster_, peer, gpu)];
    return peers;
  }

private:
  const NodeGroups& nodes_;
  const platforms::Cluster& cluster_;
  std::map<std::int64_t, double> in_leaf_; // members
  std::map<std::int64_t, double> in_pod_;
  double all_ = 0;
};

// What `gpu` of `node` sends and receives over its NIC: `part` to and from each member of other nodes.
void add_beyond(std::uint32_t gpu, const std::vector<std::uint32_t>& node, const Survey& survey, Bytes part,
                const platforms::Cluster& cluster, std::vector<execution::Flow>& flows) {
  if (cluster.fabric.routing == Routing::Adaptive) {
    for (const auto& [ascent, peers] : survey.by_level(gpu, node))
      flows.push_back(over_nic(gpu, ascent, ascent, peers * part, cluster));
    return;
  }
  for (const auto& [ascent, peers] : survey.by_uplink(gpu, node, Survey::Way::Out))
    flows.push_back({joined(out_of_nic(cluster, gpu, ascent), {}), peers * part});
  for (const auto& [ascent, peers] : survey.by_uplink(gpu, node, Survey::Way::In))
    flows.push_back({joined(into_nic(cluster, gpu, ascent), {}), peers * part});
}

// The longest way between members of a group in several nodes.
Seconds longest_way(const NodeGroups& nodes, const platforms::Cluster& cluster) {
  std::uint8_t level = 0;
  for (const std::vector<std::uint32_t>& node : nodes)
    for (const std::uint32_t gpu : node)
      if (&node != &nodes.front())
        level = std::max(level, level_between(cluster, nodes.front().front(), gpu));
  return latency_at(cluster, level);
}

// What each member sends and receives: a flow for its node, and one for each way that leads to others over its NIC.
Flows of_members(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster) {
  const Survey survey(nodes, cluster);
  Flows flows;
  for (const std::vector<std::uint32_t>& node : nodes)
    for (const std::uint32_t gpu : node) {
      if (node.size() > 1)
        add_in_node(gpu, node, static_cast<double>(node.size() - 1) * part, cluster, flows);
      if (nodes.size() > 1)
        add_beyond(gpu, node, survey, part, cluster, flows);
    }
  return flows;
}

// A message for each pair, in rounds: in each round every member sends to one member of the node `shift` further on, as
// NCCL orders its sends and receives by the distance of nodes, and to one in its own node, which needs fewer rounds.
std::vector<Flows> in_rounds(Bytes part, const NodeGroups& nodes, const platforms::Cluster& cluster) {
  std::size_t most_local = 1;
  for (const std::vector<std::uint32_t>& node : nodes)
    most_local = std::max(most_local, node.size());
  std::vector<Flows> rounds(std::max(most_local - 1, (nodes.size() - 1) * most_local));
  for (std::size_t shift = 0; shift < nodes.size(); ++shift)
    for (std::size_t at = 0; at < nodes.size(); ++at) {
      const std::vector<std::uint32_t>& from = nodes[at];
      const std::vector<std::uint32_t>& to = nodes[(at + shift) % nodes.size()];
      const std::size_t first = shift == 0 ? 1 : 0; // nobody sends to itself
      for (std::size_t turn = first; turn < to.size(); ++turn) {
        Flows& round = rounds[shift == 0 ? turn - 1 : (shift - 1) * most_local + turn];
        for (std::size_t index = 0; index < from.size(); ++index)
          round.push_back(message(from[index], to[(index + turn) % to.size()], part, cluster));
      }
    }
  return rounds;
}

} // namespace

execution::Communication all_to_all(const Call& call, std::span<const RankId> members,
                                    const platforms::Cluster& cluster) {
  const NodeGroups nodes = by_node(members, cluster);
  const bool is_relayed = nodes.size() > 1 && cluster.fabric.rails == platforms::Rails::Apart;
  if (is_relayed && call.fidelity != Fidelity::Flow)
    return relayed_all_to_all(call.size, nodes, cluster);
  const auto count = static_cast<double>(members.size());
  const Bytes part = call.size / count;
  double most_local = 1;
  Seconds transfer;
  for (const std::vector<std::uint32_t>& node : nodes) {
    const auto local = static_cast<double>(node.size());
    most_local = std::max(most_local, local);
    if (local > 1)
      transfer = std::max(transfer, (local - 1) * part / node_bandwidth(cluster, std::ssize(node)));
    if (nodes.size() > 1)
      transfer = std::max(transfer, (count - local) * part / nic_bandwidth(cluster));
  }
  // By Simple, each further peer in the node costs a step; messages between nodes go side by side.
  const double far = nodes.size() > 1 ? 1 : 0;
  const double near = is_relayed ? 1 : 1 - far; // to the GPU that passes it on
  execution::Communication result;
  result.latency = protocol_latency(cluster, {near, far}, {most_local - 1, far}, transfer);
  if (nodes.size() > 1)
    result.latency += is_relayed ? latency_at(cluster, 0) : longest_way(nodes, cluster);
  if (call.fidelity != Fidelity::Flow) {
    result.flows = of_members(part, nodes, cluster);
    return result;
  }
  for (Flows& round : in_rounds(part, nodes, cluster))
    if (call.algorithm == Algorithm::Direct || result.flows.empty())
      result.flows.insert(result.flows.end(), round.begin(), round.end());
    else
      result.then.push_back({Seconds(), std::move(round)});
  return result;
}

} // namespace moesim::cost
