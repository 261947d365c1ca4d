#include "platforms/routes.hpp"

#include "platforms/links.hpp"
#include "simulator/base/check.hpp"
#include "simulator/base/mixed.hpp"

namespace moesim::platforms {
namespace {

// The NIC of a GPU among those of the cluster; several of one GPU count as one.
std::uint64_t nic_of(const Cluster& cluster, std::uint32_t gpu) {
  return cluster.shares_nics() ? static_cast<std::uint64_t>(site_of(cluster, Tier::Nic, gpu)) : gpu;
}

// What the uplinks of a message are chosen by.
std::uint64_t choice_of(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  if (cluster.fabric.routing == Routing::Static)
    return nic_of(cluster, to);
  return mixed(mixed(cluster.fabric.seed, nic_of(cluster, from)), nic_of(cluster, to));
}

} // namespace

bool reaches(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  return cluster.fabric.rails != Rails::Apart || cluster.leaf_of(from) == cluster.leaf_of(to);
}

std::uint32_t relay_of(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  if (reaches(cluster, from, to))
    return from;
  return static_cast<std::uint32_t>(cluster.node_of(from) * cluster.gpus_per_node + to % cluster.gpus_per_node);
}

std::uint8_t level_between(const Cluster& cluster, std::uint32_t a, std::uint32_t b) {
  MOESIM_CHECK(reaches(cluster, a, b), "the fabric joins the two");
  if (cluster.leaf_of(a) == cluster.leaf_of(b))
    return 0;
  return cluster.pod_of(a) == cluster.pod_of(b) ? 1 : 2;
}

Ascent ascent_between(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  Ascent ascent{.level = level_between(cluster, from, to)};
  if (cluster.fabric.routing == Routing::Adaptive || ascent.level == 0)
    return ascent;
  const std::uint64_t choice = choice_of(cluster, from, to);
  const std::uint64_t leaf_uplinks = uplinks_of(cluster, Tier::Leaf);
  ascent.leaf_uplink = static_cast<std::uint32_t>(choice % leaf_uplinks);
  if (ascent.level > 1)
    ascent.pod_uplink = static_cast<std::uint32_t>(choice / leaf_uplinks % uplinks_of(cluster, Tier::Pod));
  return ascent;
}

std::int64_t switches_at(std::uint8_t level) {
  return 2 * level + 1;
}

Seconds latency_at(const Cluster& cluster, std::uint8_t level) {
  const bool has_hop = cluster.pcie && cluster.node_network != NodeNetwork::Pcie;
  const Seconds pcie = has_hop ? 2 * cluster.pcie->latency : Seconds(0);
  return static_cast<double>(switches_at(level) - 1) * cluster.fabric.hop_latency + pcie;
}

Seconds latency_between(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  return latency_at(cluster, level_between(cluster, from, to));
}

Path out_of_nic(const Cluster& cluster, std::uint32_t gpu, Ascent ascent) {
  Path path;
  if (cluster.pcie)
    path.push_back(link_of(cluster, gpu, LinkKind::PcieUp));
  path.push_back(cluster.shares_nics() ? trunk_of(cluster, Tier::Nic, site_of(cluster, Tier::Nic, gpu), Trunk::Up)
                                       : link_of(cluster, gpu, LinkKind::NicUp));
  if (ascent.level > 0)
    path.push_back(trunk_of(cluster, Tier::Leaf, cluster.leaf_of(gpu), Trunk::Up, ascent.leaf_uplink));
  if (ascent.level > 1)
    path.push_back(trunk_of(cluster, Tier::Pod, cluster.pod_of(gpu), Trunk::Up, ascent.pod_uplink));
  return path;
}

Path into_nic(const Cluster& cluster, std::uint32_t gpu, Ascent ascent) {
  Path path;
  if (ascent.level > 1)
    path.push_back(trunk_of(cluster, Tier::Pod, cluster.pod_of(gpu), Trunk::Down, ascent.pod_uplink));
  if (ascent.level > 0)
    path.push_back(trunk_of(cluster, Tier::Leaf, cluster.leaf_of(gpu), Trunk::Down, ascent.leaf_uplink));
  path.push_back(cluster.shares_nics() ? trunk_of(cluster, Tier::Nic, site_of(cluster, Tier::Nic, gpu), Trunk::Down)
                                       : link_of(cluster, gpu, LinkKind::NicDown));
  if (cluster.pcie)
    path.push_back(link_of(cluster, gpu, LinkKind::PcieDown));
  return path;
}

Path path_in_node(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  switch (cluster.node_network) {
  case NodeNetwork::Switch:
    return {link_of(cluster, from, LinkKind::NvlinkUp), link_of(cluster, to, LinkKind::NvlinkDown)};
  case NodeNetwork::Mesh:
    return {cable_of(cluster, from, to)};
  case NodeNetwork::Pcie:
    break;
  }
  return {link_of(cluster, from, LinkKind::PcieUp), link_of(cluster, to, LinkKind::PcieDown)};
}

} // namespace moesim::platforms
