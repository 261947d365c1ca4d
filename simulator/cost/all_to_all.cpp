#include "simulator/cost/communication.hpp"
#include "simulator/cost/placement.hpp"

namespace moesim::cost {

execution::Communication direct_all_to_all(Bytes size, std::span<const RankId> members,
                                           const platforms::Cluster& cluster) {
  const NodeGroups nodes = by_node(members, cluster);
  const auto count = static_cast<double>(members.size());
  execution::Communication result;
  result.latency = cluster.collective_latency + (nodes.size() > 1 ? cluster.nic.latency : cluster.nvlink.latency);
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto local = static_cast<double>(nodes[node].size());
    for (std::size_t index = 0; index < nodes[node].size(); ++index) {
      const std::uint32_t gpu = nodes[node][index];
      if (local > 1)
        result.flows.push_back(
            over_nvlink(gpu, nodes[node][(index + 1) % nodes[node].size()], (local - 1) / count * size));
      if (nodes.size() > 1)
        result.flows.push_back(over_nics(gpu, rail_partner(nodes, node, index), (count - local) / count * size));
    }
  }
  return result;
}

} // namespace moesim::cost
