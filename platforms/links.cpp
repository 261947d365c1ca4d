#include "platforms/links.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "simulator/base/check.hpp"

namespace moesim::platforms {
namespace {

constexpr std::uint32_t links_per_port = 2;
constexpr std::array<std::string_view, links_per_trunk> direction_names{"up", "down"};

// The blocks of a GPU's own links, in their order.
std::uint32_t node_links(const Cluster& cluster) {
  switch (cluster.node_network) {
  case NodeNetwork::Switch:
    return links_per_port;
  case NodeNetwork::Mesh:
    return static_cast<std::uint32_t>(cluster.gpus_per_node - 1);
  case NodeNetwork::Pcie:
    break;
  }
  return 0; // they are those of the PCIe port
}
std::uint32_t nic_links(const Cluster& cluster) {
  return cluster.shares_nics() ? 0 : links_per_port;
}
std::uint32_t pcie_links(const Cluster& cluster) {
  return cluster.pcie ? links_per_port : 0;
}

struct TrunkPlace {
  Tier tier;
  std::int64_t site;
  std::uint32_t uplink;
  std::uint32_t direction;
};

std::uint32_t links_of_tier(const Cluster& cluster, Tier tier) {
  return static_cast<std::uint32_t>(site_count(cluster, tier)) * uplinks_of(cluster, tier) * links_per_trunk;
}

TrunkPlace place_of_trunk(const Cluster& cluster, std::uint32_t link) {
  std::uint32_t at = link - first_trunk(cluster);
  auto tier = tiers.begin();
  for (; tier != tiers.end() && at >= links_of_tier(cluster, *tier); ++tier)
    at -= links_of_tier(cluster, *tier);
  MOESIM_CHECK(tier != tiers.end(), "the cluster has the link");
  const std::uint32_t uplinks = uplinks_of(cluster, *tier);
  return {*tier, at / links_per_trunk / uplinks, at / links_per_trunk % uplinks, at % links_per_trunk};
}

std::string trunk_name(const Cluster& cluster, std::uint32_t link) {
  const auto [tier, site, uplink, direction] = place_of_trunk(cluster, link);
  if (tier == Tier::Nic)
    return fmt::format("node{}.nic{}.{}", site / cluster.node_nics(), site % cluster.node_nics(),
                       direction_names[direction]);
  const std::string_view kind = tier == Tier::Leaf ? "leaf" : "pod";
  if (cluster.fabric.routing == Routing::Adaptive)
    return fmt::format("{}{}.{}", kind, site, direction_names[direction]);
  return fmt::format("{}{}.uplink{}.{}", kind, site, uplink, direction_names[direction]);
}

} // namespace

std::uint32_t links_per_gpu(const Cluster& cluster) {
  return node_links(cluster) + nic_links(cluster) + pcie_links(cluster);
}

std::uint32_t link_of(const Cluster& cluster, std::uint32_t gpu, LinkKind kind) {
  std::uint32_t first = gpu * links_per_gpu(cluster);
  bool exists = cluster.node_network == NodeNetwork::Switch;
  if (kind >= LinkKind::NicUp) {
    first += node_links(cluster);
    exists = !cluster.shares_nics();
  }
  if (kind >= LinkKind::PcieUp) {
    first += nic_links(cluster);
    exists = cluster.pcie.has_value();
  }
  MOESIM_CHECK(exists, "the cluster has links of this kind");
  return first + static_cast<std::uint32_t>(kind) % links_per_port;
}

std::uint32_t cable_of(const Cluster& cluster, std::uint32_t from, std::uint32_t to) {
  MOESIM_CHECK(cluster.node_network == NodeNetwork::Mesh && from != to && cluster.node_of(from) == cluster.node_of(to),
               "a cable joins two GPUs of a mesh");
  const auto gpus = static_cast<std::uint32_t>(cluster.gpus_per_node);
  const std::uint32_t peer = to % gpus;
  return from * links_per_gpu(cluster) + (peer < from % gpus ? peer : peer - 1);
}

std::int64_t site_count(const Cluster& cluster, Tier tier) {
  if (tier == Tier::Nic)
    return cluster.shares_nics() ? cluster.nodes * cluster.node_nics() : 0;
  if (cluster.fabric.rails == Rails::Apart)
    return 0;
  return tier == Tier::Leaf ? cluster.leaf_count() : cluster.pod_count();
}

std::int64_t site_of(const Cluster& cluster, Tier tier, std::uint32_t gpu) {
  if (tier == Tier::Nic)
    return gpu / (cluster.gpus_per_node / cluster.node_nics());
  return tier == Tier::Leaf ? cluster.leaf_of(gpu) : cluster.pod_of(gpu);
}

std::uint32_t uplinks_of(const Cluster& cluster, Tier tier) {
  if (tier == Tier::Nic || cluster.fabric.routing == Routing::Adaptive)
    return 1;
  return static_cast<std::uint32_t>(tier == Tier::Leaf ? cluster.fabric.uplinks : cluster.fabric.pod_uplinks);
}

std::uint32_t trunk_of(const Cluster& cluster, Tier tier, std::int64_t site, Trunk trunk, std::uint32_t uplink) {
  std::uint32_t first = first_trunk(cluster);
  for (const Tier below : tiers)
    if (below < tier)
      first += links_of_tier(cluster, below);
  const std::uint32_t at = static_cast<std::uint32_t>(site) * uplinks_of(cluster, tier) + uplink;
  return first + at * links_per_trunk + static_cast<std::uint32_t>(trunk);
}

std::uint32_t trunk_of(const Cluster& cluster, std::int64_t leaf, Trunk trunk) {
  return trunk_of(cluster, Tier::Leaf, leaf, trunk);
}

std::uint32_t trunk_number(const Cluster& cluster, std::uint32_t link) {
  return (link - first_trunk(cluster)) / links_per_trunk;
}

std::uint32_t link_of_trunk(const Cluster& cluster, std::uint32_t number, Trunk trunk) {
  return first_trunk(cluster) + number * links_per_trunk + static_cast<std::uint32_t>(trunk);
}

Tier tier_of_trunk(const Cluster& cluster, std::uint32_t number) {
  return place_of_trunk(cluster, link_of_trunk(cluster, number, Trunk::Up)).tier;
}

std::vector<std::uint32_t> trunks_above(const Cluster& cluster, std::uint32_t gpus) {
  // Sites are numbered in the order of their GPUs, but that a node has one in each rail.
  const std::uint32_t last_node = gpus - std::min(gpus, static_cast<std::uint32_t>(cluster.gpus_per_node));
  std::vector<std::uint32_t> trunks;
  for (const Tier tier : tiers) {
    std::int64_t sites = 0;
    for (std::uint32_t gpu = last_node; gpu < gpus && site_count(cluster, tier) > 0; ++gpu)
      sites = std::max(sites, site_of(cluster, tier, gpu) + 1);
    for (std::int64_t site = 0; site < sites; ++site)
      for (std::uint32_t uplink = 0; uplink < uplinks_of(cluster, tier); ++uplink)
        trunks.push_back(trunk_number(cluster, trunk_of(cluster, tier, site, Trunk::Up, uplink)));
  }
  return trunks;
}

std::uint32_t first_trunk(const Cluster& cluster) {
  return static_cast<std::uint32_t>(cluster.gpu_count()) * links_per_gpu(cluster);
}

std::uint32_t link_count(const Cluster& cluster) {
  std::uint32_t links = first_trunk(cluster);
  for (const Tier tier : tiers)
    links += links_of_tier(cluster, tier);
  return links;
}

std::string link_name(const Cluster& cluster, std::uint32_t link) {
  if (link >= first_trunk(cluster))
    return trunk_name(cluster, link);
  const std::uint32_t gpu = link / links_per_gpu(cluster);
  std::uint32_t at = link % links_per_gpu(cluster);
  const std::int64_t place = gpu % cluster.gpus_per_node;
  const auto named = [&](std::string_view port, std::string_view direction) {
    return fmt::format("node{}.{}{}.{}", cluster.node_of(gpu), port, place, direction);
  };
  if (at < node_links(cluster))
    return cluster.node_network == NodeNetwork::Mesh ? named("nvlink", fmt::format("to{}", at < place ? at : at + 1))
                                                     : named("nvlink", direction_names[at]);
  at -= node_links(cluster);
  return named(at < nic_links(cluster) ? "nic" : "pcie", direction_names[at % links_per_port]);
}

BytesPerSecond trunk_bandwidth(const Cluster& cluster, Tier tier) {
  const Fabric& fabric = cluster.fabric;
  const double nics = static_cast<double>(fabric.nodes_per_leaf * cluster.node_nics() / cluster.leaves_per_node());
  const BytesPerSecond leaf = nics * cluster.nic.effective() / fabric.oversubscription;
  return tier == Tier::Leaf ? leaf : static_cast<double>(fabric.leaves_per_pod) * leaf / fabric.pod_oversubscription;
}

BytesPerSecond whole_bandwidth(const Cluster& cluster, std::uint32_t link) {
  if (link >= first_trunk(cluster)) {
    const Tier tier = place_of_trunk(cluster, link).tier;
    return tier == Tier::Nic ? cluster.nic.effective()
                             : trunk_bandwidth(cluster, tier) / static_cast<double>(uplinks_of(cluster, tier));
  }
  std::uint32_t at = link % links_per_gpu(cluster);
  if (at < node_links(cluster))
    return cluster.node_network == NodeNetwork::Mesh
               ? cluster.nvlink.effective() / static_cast<double>(cluster.gpus_per_node - 1)
               : cluster.nvlink.effective();
  at -= node_links(cluster);
  if (at < nic_links(cluster))
    return static_cast<double>(cluster.node_nics() / cluster.gpus_per_node) * cluster.nic.effective();
  return cluster.pcie->effective();
}

BytesPerSecond link_bandwidth(const Cluster& cluster, std::uint32_t link) {
  BytesPerSecond bandwidth = whole_bandwidth(cluster, link);
  for (const LinkOverride& degraded : cluster.degraded_links)
    if (degraded.link == link)
      bandwidth = bandwidth * degraded.bandwidth_factor;
  return bandwidth;
}

} // namespace moesim::platforms
