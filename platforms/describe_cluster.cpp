#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "platforms/cluster.hpp"
#include "platforms/fabric_words.hpp"
#include "platforms/links.hpp"
#include "simulator/base/format.hpp"

namespace moesim::platforms {
namespace {

std::string describe(const Port& port) {
  return fmt::format("bandwidth_per_direction={} efficiency={} latency={} simple_latency={}",
                     format_bandwidth(port.bandwidth), port.efficiency, format_seconds(port.latency),
                     format_seconds(port.simple_latency));
}

std::string describe_link(const Cluster& cluster, std::uint32_t link) {
  return fmt::format("{} bandwidth={}\n", link_name(cluster, link), format_bandwidth(link_bandwidth(cluster, link)));
}

// What stands behind `fabric=`.
std::string describe(const Fabric& fabric) {
  std::string text(type_name(fabric));
  for (const FabricField& field : fields_of(fabric))
    text += fmt::format(" {}={}", field.name, field.shown);
  return text;
}

std::string describe_gpu_type(const Gpu& gpu) {
  std::string text =
      fmt::format("gpu {} memory={} usable_memory={} memory_bandwidth={}", gpu.name, format_bytes(gpu.memory_capacity),
                  format_bytes(gpu.usable_memory()), format_bandwidth(gpu.memory_bandwidth));
  for (std::size_t at = 0; at < precision_count; ++at)
    if (gpu.peak[at])
      text += fmt::format(" peak_{}={}", name_of(static_cast<Precision>(at)), format_flops_rate(*gpu.peak[at]));
  return text + "\n";
}

std::string describe_ports(const Cluster& cluster) {
  std::string text = "port nic " + describe(cluster.nic);
  if (cluster.nics_per_node > 0)
    text += fmt::format(" per_node={}", cluster.nics_per_node);
  text += "\n";
  if (cluster.node_network != NodeNetwork::Pcie)
    text += fmt::format("port nvlink {}{}\n", describe(cluster.nvlink),
                        cluster.node_network == NodeNetwork::Mesh ? " type=mesh" : "");
  if (cluster.pcie)
    text += fmt::format("port pcie {}\n", describe(*cluster.pcie));
  return text;
}

std::string describe_trunks(const Cluster& cluster, Tier tier, std::int64_t site) {
  std::string text;
  for (std::uint32_t uplink = 0; uplink < uplinks_of(cluster, tier); ++uplink)
    for (const Trunk trunk : {Trunk::Up, Trunk::Down})
      text += describe_link(cluster, trunk_of(cluster, tier, site, trunk, uplink));
  return text;
}

// The nodes of a leaf, and the rail, or the leaves of a pod.
std::string describe_site(const Cluster& cluster, Tier tier, std::int64_t site) {
  const bool is_leaf = tier == Tier::Leaf;
  const std::int64_t rails = cluster.leaves_per_node();
  const std::int64_t size = is_leaf ? cluster.fabric.nodes_per_leaf : cluster.fabric.leaves_per_pod;
  const std::int64_t first = (is_leaf ? site / rails : site) * size;
  const std::int64_t last = std::min(first + size, is_leaf ? cluster.nodes : cluster.leaf_count()) - 1;
  const std::string rail =
      is_leaf && cluster.fabric.rails != Rails::None ? fmt::format(" rail={}", site % rails) : std::string();
  return fmt::format("{}{} {}={}-{}{}\n", is_leaf ? "leaf" : "pod", site, is_leaf ? "nodes" : "leaves", first, last,
                     rail);
}

} // namespace

std::string describe(const Cluster& cluster) {
  std::string text = fmt::format("cluster {} nodes={} gpus_per_node={} fabric={} collective_latency={} "
                                 "simple_collective_latency={} ring_exposed_steps={}\n",
                                 cluster.name, cluster.nodes, cluster.gpus_per_node, describe(cluster.fabric),
                                 format_seconds(cluster.collective_latency),
                                 format_seconds(cluster.simple_collective_latency), cluster.ring_exposed_steps);
  text += describe_gpu_type(cluster.gpu) + describe_ports(cluster) + describe(cluster.protocols);
  const std::uint32_t links = links_per_gpu(cluster);
  for (std::uint32_t gpu = 0; gpu < cluster.gpu_count(); ++gpu) {
    text += fmt::format("node{}.gpu{} rank={} speed={}\n", cluster.node_of(gpu), gpu % cluster.gpus_per_node, gpu,
                        gpu_speed(cluster, gpu));
    for (std::uint32_t link = gpu * links; link < (gpu + 1) * links; ++link)
      text += describe_link(cluster, link);
  }
  for (std::int64_t nic = 0; nic < site_count(cluster, Tier::Nic); ++nic)
    text += describe_trunks(cluster, Tier::Nic, nic);
  for (std::int64_t leaf = 0; leaf < cluster.leaf_count(); ++leaf) {
    text += describe_site(cluster, Tier::Leaf, leaf);
    if (leaf < site_count(cluster, Tier::Leaf))
      text += describe_trunks(cluster, Tier::Leaf, leaf);
  }
  for (std::int64_t pod = 0; pod < site_count(cluster, Tier::Pod); ++pod)
    text += describe_site(cluster, Tier::Pod, pod) + describe_trunks(cluster, Tier::Pod, pod);
  return text;
}

} // namespace moesim::platforms
