#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {
namespace {

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

} // namespace

execution::Communication direct_all_to_all(Bytes size, std::span<const RankId> members,
                                           const platforms::Cluster& cluster) {
  const NodeGroups nodes = by_node(members, cluster);
  if (nodes.size() > 1 && cluster.fabric.rails == platforms::Rails::Apart)
    return relayed_all_to_all(size, nodes, cluster);
  const auto count = static_cast<double>(members.size());
  const Survey survey(nodes, cluster);
  execution::Communication result;
  double most_local = 1;
  Seconds transfer;
  for (const std::vector<std::uint32_t>& node : nodes) {
    const auto local = static_cast<double>(node.size());
    most_local = std::max(most_local, local);
    for (const std::uint32_t gpu : node) {
      if (local > 1) {
        const Bytes bytes = (local - 1) / count * size;
        add_in_node(gpu, node, bytes, cluster, result.flows);
        transfer = std::max(transfer, bytes / node_bandwidth(cluster, std::ssize(node)));
      }
      if (nodes.size() > 1) {
        add_beyond(gpu, node, survey, size / count, cluster, result.flows);
        transfer = std::max(transfer, (count - local) / count * size / nic_bandwidth(cluster));
      }
    }
  }
  // By Simple, each further peer in the node costs a step; messages between nodes go side by side.
  const double far = nodes.size() > 1 ? 1 : 0;
  result.latency = protocol_latency(cluster, {1 - far, far}, {most_local - 1, far}, transfer);
  if (nodes.size() > 1)
    result.latency += longest_way(nodes, cluster);
  return result;
}

} // namespace moesim::cost
