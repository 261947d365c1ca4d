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

execution::Flow over_nvlink(std::uint32_t gpu, Bytes bytes) {
  return {{{link_of(gpu, LinkKind::NvlinkUp)}, {link_of(gpu, LinkKind::NvlinkDown)}}, bytes};
}

execution::Flow over_nic(std::uint32_t gpu, Bytes bytes) {
  return {{{link_of(gpu, LinkKind::NicUp)}, {link_of(gpu, LinkKind::NicDown)}}, bytes};
}

} // namespace moesim::cost
