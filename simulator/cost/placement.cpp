#include "simulator/cost/placement.hpp"

#include <algorithm>

#include "platforms/links.hpp"

namespace moesim::cost {

using platforms::Ascent;
using platforms::LinkKind;
using platforms::NodeNetwork;

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

Ascent ascent_to(std::uint32_t gpu, std::uint32_t peer, const platforms::Cluster& cluster) {
  return ascent_between(cluster, relay_of(cluster, gpu, peer), peer);
}

Route joined(const platforms::Path& first, const platforms::Path& second) {
  Route route;
  for (const platforms::Path* path : {&first, &second})
    for (const std::uint32_t link : *path)
      route.push_back({link});
  return route;
}

void add_in_node(std::uint32_t gpu, std::span<const std::uint32_t> local, Bytes bytes,
                 const platforms::Cluster& cluster, std::vector<execution::Flow>& flows) {
  if (cluster.node_network != NodeNetwork::Mesh) {
    const bool is_pcie = cluster.node_network == NodeNetwork::Pcie;
    const std::uint32_t up = link_of(cluster, gpu, is_pcie ? LinkKind::PcieUp : LinkKind::NvlinkUp);
    const std::uint32_t down = link_of(cluster, gpu, is_pcie ? LinkKind::PcieDown : LinkKind::NvlinkDown);
    flows.push_back({{{up}, {down}}, bytes});
    return;
  }
  for (const std::uint32_t peer : local)
    if (peer != gpu)
      flows.push_back({{{cable_of(cluster, gpu, peer)}}, bytes / static_cast<double>(local.size() - 1)});
}

double in_node_efficiency(std::uint32_t first, std::uint32_t last, const platforms::Cluster& cluster) {
  const std::vector<platforms::Block>& blocks = cluster.protocols.blocks;
  if (blocks.empty() || first == last)
    return 1;
  const auto in_node = [&](std::uint32_t gpu) { return gpu % cluster.gpus_per_node; };
  for (const platforms::Block& block : blocks)
    if (in_node(first) / block.gpus == in_node(last) / block.gpus)
      return block.efficiency;
  return blocks.back().efficiency;
}

bool share_a_node(std::uint32_t a, std::uint32_t b, const platforms::Cluster& cluster) {
  return cluster.node_of(a) == cluster.node_of(b);
}

platforms::Path way_out(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (share_a_node(from, to, cluster))
    return {path_in_node(cluster, from, to).front()};
  const std::uint32_t relay = relay_of(cluster, from, to);
  platforms::Path path = relay == from ? platforms::Path() : path_in_node(cluster, from, relay);
  const platforms::Path out = out_of_nic(cluster, relay, ascent_between(cluster, relay, to));
  path.insert(path.end(), out.begin(), out.end());
  return path;
}

platforms::Path way_in(std::uint32_t from, std::uint32_t to, const platforms::Cluster& cluster) {
  if (!share_a_node(from, to, cluster))
    return into_nic(cluster, to, ascent_to(from, to, cluster));
  const platforms::Path path = path_in_node(cluster, from, to);
  return path.size() > 1 ? platforms::Path{path.back()} : platforms::Path();
}

execution::Flow message(std::uint32_t from, std::uint32_t to, Bytes bytes, const platforms::Cluster& cluster) {
  return {joined(way_out(from, to, cluster), way_in(from, to, cluster)), bytes};
}

execution::Flow over_nic(std::uint32_t gpu, Ascent to, Ascent from, Bytes bytes, const platforms::Cluster& cluster) {
  return {joined(out_of_nic(cluster, gpu, to), into_nic(cluster, gpu, from)), bytes};
}

} // namespace moesim::cost
