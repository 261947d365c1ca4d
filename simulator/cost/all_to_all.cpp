#include <algorithm>
#include <map>
#include <utility>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

using Flows = std::vector<execution::Flow>;

// What each member sends and receives, as a flow for each tier: NVLink, the NICs of the own leaf, those of others.
Flows of_members(Bytes part, const NodeGroups& nodes, double count, const platforms::Cluster& cluster) {
  std::map<std::int64_t, double> in_leaf; // members
  for (const std::vector<std::uint32_t>& node : nodes)
    in_leaf[cluster.leaf_of(node.front())] += static_cast<double>(node.size());
  Flows flows;
  for (const std::vector<std::uint32_t>& node : nodes) {
    const auto local = static_cast<double>(node.size());
    for (const std::uint32_t gpu : node) {
      if (local > 1)
        flows.push_back(over_nvlink(gpu, (local - 1) * part));
      const double near = in_leaf.at(cluster.leaf_of(gpu));
      for (const auto& [leaf, peers] : {std::pair(Leaf::Own, near - local), std::pair(Leaf::Other, count - near)})
        if (nodes.size() > 1 && peers > 0)
          flows.push_back(over_nic(gpu, leaf, leaf, peers * part, cluster));
    }
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
  const auto count = static_cast<double>(members.size());
  const Bytes part = call.size / count;
  double most_local = 1;
  Seconds transfer;
  for (const std::vector<std::uint32_t>& node : nodes) {
    const auto local = static_cast<double>(node.size());
    most_local = std::max(most_local, local);
    transfer = std::max(
        {transfer, (local - 1) * part / cluster.nvlink.effective(), (count - local) * part / cluster.nic.effective()});
  }
  // By Simple, each further peer in the node costs a step; messages between nodes go side by side.
  const double far = nodes.size() > 1 ? 1 : 0;
  execution::Communication result;
  result.latency = protocol_latency(cluster, {1 - far, far}, {most_local - 1, far}, transfer);
  if (call.fidelity != Fidelity::Flow) {
    result.flows = of_members(part, nodes, count, cluster);
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
