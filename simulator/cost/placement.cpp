#include "simulator/cost/placement.hpp"

#include <algorithm>

namespace moesim::cost {

using platforms::link_of;
using platforms::LinkKind;
using platforms::Trunk;

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

Leaf leaf_between(std::uint32_t gpu, std::uint32_t other, const platforms::Cluster& cluster) {
  return cluster.leaf_of(gpu) == cluster.leaf_of(other) ? Leaf::Own : Leaf::Other;
}

Route out_of_nic(std::uint32_t gpu, Leaf to, const platforms::Cluster& cluster) {
  Route route{{link_of(gpu, LinkKind::NicUp)}};
  if (to == Leaf::Other)
    route.push_back({trunk_of(cluster, cluster.leaf_of(gpu), Trunk::Up)});
  return route;
}

Route into_nic(std::uint32_t gpu, Leaf from, const platforms::Cluster& cluster) {
  Route route;
  if (from == Leaf::Other)
    route.push_back({trunk_of(cluster, cluster.leaf_of(gpu), Trunk::Down)});
  route.push_back({link_of(gpu, LinkKind::NicDown)});
  return route;
}

Route joined(Route first, const Route& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

bool share_a_node(std::uint32_t a, std::uint32_t b, const platforms::Cluster& cluster) {
  return cluster.node_of(a) == cluster.node_of(b);
}

Route way_out(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster))
    return {{link_of(from, LinkKind::NvlinkUp)}};
  return out_of_nic(from, leaf_between(from, to, cluster), cluster);
}

Route way_in(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster))
    return {{link_of(to, LinkKind::NvlinkDown)}};
  return into_nic(to, leaf_between(to, from, cluster), cluster);
}

execution::Flow message(std::uint32_t from, std::uint32_t to, Bytes bytes, const platforms::Cluster& cluster) {
  return {joined(way_out(from, to, cluster), way_in(from, to, cluster)), bytes};
}

execution::Flow over_nvlink(std::uint32_t gpu, Bytes bytes) {
  return {{{link_of(gpu, LinkKind::NvlinkUp)}, {link_of(gpu, LinkKind::NvlinkDown)}}, bytes};
}

execution::Flow over_nic(std::uint32_t gpu, Leaf to, Leaf from, Bytes bytes, const platforms::Cluster& cluster) {
  return {joined(out_of_nic(gpu, to, cluster), into_nic(gpu, from, cluster)), bytes};
}

} // namespace moesim::cost
