#include <algorithm>
#include <map>
#include <utility>

#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"
#include "simulator/cost/protocol.hpp"

namespace moesim::cost {

execution::Communication direct_all_to_all(Bytes size, std::span<const RankId> members,
                                           const platforms::Cluster& cluster) {
  const NodeGroups nodes = by_node(members, cluster);
  const auto count = static_cast<double>(members.size());
  execution::Communication result;
  std::map<std::int64_t, double> in_leaf; // members
  for (const std::vector<std::uint32_t>& node : nodes)
    in_leaf[cluster.leaf_of(node.front())] += static_cast<double>(node.size());
  double most_local = 1;
  Seconds transfer;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto local = static_cast<double>(nodes[node].size());
    most_local = std::max(most_local, local);
    for (std::size_t index = 0; index < nodes[node].size(); ++index) {
      const std::uint32_t gpu = nodes[node][index];
      if (local > 1) {
        const Bytes bytes = (local - 1) / count * size;
        result.flows.push_back(over_nvlink(gpu, bytes));
        transfer = std::max(transfer, bytes / cluster.nvlink.effective());
      }
      if (nodes.size() > 1) {
        const double near = in_leaf.at(cluster.leaf_of(gpu));
        for (const auto& [leaf, peers] : {std::pair(Leaf::Own, near - local), std::pair(Leaf::Other, count - near)})
          if (peers > 0)
            result.flows.push_back(over_nic(gpu, leaf, leaf, peers / count * size, cluster));
        transfer = std::max(transfer, (count - local) / count * size / cluster.nic.effective());
      }
    }
  }
  // By Simple, each further peer in the node costs a step; messages between nodes go side by side.
  const double far = nodes.size() > 1 ? 1 : 0;
  result.latency = protocol_latency(cluster, {1 - far, far}, {most_local - 1, far}, transfer);
  return result;
}

} // namespace moesim::cost
