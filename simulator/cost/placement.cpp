#include "simulator/cost/placement.hpp"

#include <algorithm>

namespace moesim::cost {

using platforms::link_of;
using platforms::LinkKind;

NodeGroups by_node(std::span<const RankId> members, const platforms::Cluster& cluster) {
  std::vector<std::uint32_t> gpus;
  for (const RankId member : members)
    gpus.push_back(member.value());
  std::ranges::sort(gpus);
  NodeGroups nodes;
  for (const std::uint32_t gpu : gpus) {
    if (nodes.empty() || cluster.node_of(nodes.back().front()) != cluster.node_of(gpu))
      nodes.emplace_back();
    nodes.back().push_back(gpu);
  }
  return nodes;
}

execution::Flow over_nvlink(std::uint32_t from, std::uint32_t to, Bytes bytes) {
  return {link_of(from, LinkKind::NvlinkUp), link_of(to, LinkKind::NvlinkDown), bytes};
}

execution::Flow over_nics(std::uint32_t from, std::uint32_t to, Bytes bytes) {
  return {link_of(from, LinkKind::NicUp), link_of(to, LinkKind::NicDown), bytes};
}

std::uint32_t rail_partner(const NodeGroups& nodes, std::size_t node, std::size_t index) {
  const std::vector<std::uint32_t>& next = nodes[(node + 1) % nodes.size()];
  return next[index % next.size()];
}

} // namespace moesim::cost
