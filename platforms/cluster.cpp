#include "platforms/cluster.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "platforms/read_gpu.hpp"
#include "simulator/base/format.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::platforms {
namespace {

constexpr std::array<std::string_view, links_per_gpu> tier_names{"nvlink", "nvlink", "nic", "nic"};
constexpr std::array<std::string_view, links_per_gpu> direction_names{"up", "down", "up", "down"};

constexpr std::array<std::string_view, trunks_per_leaf> trunk_names{"up", "down"};

// The links of GPUs come first.
std::uint32_t first_trunk(const Cluster& cluster) {
  return static_cast<std::uint32_t>(cluster.gpu_count()) * links_per_gpu;
}

// A double in the fewest digits that read back to the same value.
std::string exact(double value) {
  return fmt::format("{}", value);
}

std::string port_yaml(const Port& port) {
  return fmt::format("{{bandwidth_per_direction: {}B/s, efficiency: {}, latency: {}s, simple_latency: {}s}}",
                     exact(port.bandwidth.value()), exact(port.efficiency), exact(port.latency.value()),
                     exact(port.simple_latency.value()));
}

std::string describe(const Port& port) {
  return fmt::format("bandwidth_per_direction={} efficiency={} latency={} simple_latency={}",
                     format_bandwidth(port.bandwidth), exact(port.efficiency), format_seconds(port.latency),
                     format_seconds(port.simple_latency));
}

std::string describe_link(const Cluster& cluster, std::uint32_t link) {
  return fmt::format("{} bandwidth={}\n", link_name(cluster, link), format_bandwidth(link_bandwidth(cluster, link)));
}

// What stands behind `fabric=`.
std::string describe(const Fabric& fabric) {
  if (fabric.nodes_per_leaf == 0)
    return "non-blocking";
  return fmt::format("fat-tree nodes_per_leaf={} oversubscription={}", fabric.nodes_per_leaf,
                     exact(fabric.oversubscription));
}

std::string fabric_yaml(const Fabric& fabric) {
  if (fabric.nodes_per_leaf == 0)
    return "{type: non-blocking}";
  return fmt::format("{{type: fat-tree, nodes_per_leaf: {}, oversubscription: {}}}", fabric.nodes_per_leaf,
                     exact(fabric.oversubscription));
}

} // namespace

std::uint32_t trunk_of(const Cluster& cluster, std::int64_t leaf, Trunk trunk) {
  return first_trunk(cluster) + static_cast<std::uint32_t>(leaf) * trunks_per_leaf + static_cast<std::uint32_t>(trunk);
}

std::uint32_t link_count(const Cluster& cluster) {
  return first_trunk(cluster) + static_cast<std::uint32_t>(cluster.leaf_count()) * trunks_per_leaf;
}

std::string link_name(const Cluster& cluster, std::uint32_t link) {
  if (link >= first_trunk(cluster)) {
    const std::uint32_t trunk = link - first_trunk(cluster);
    return fmt::format("leaf{}.{}", trunk / trunks_per_leaf, trunk_names[trunk % trunks_per_leaf]);
  }
  const std::uint32_t gpu = link / links_per_gpu;
  const std::uint32_t kind = link % links_per_gpu;
  return fmt::format("node{}.{}{}.{}", cluster.node_of(gpu), tier_names[kind], gpu % cluster.gpus_per_node,
                     direction_names[kind]);
}

BytesPerSecond whole_bandwidth(const Cluster& cluster, std::uint32_t link) {
  if (link >= first_trunk(cluster))
    return static_cast<double>(cluster.fabric.nodes_per_leaf * cluster.gpus_per_node) * cluster.nic.effective() /
           cluster.fabric.oversubscription;
  const bool is_nvlink = link % links_per_gpu < static_cast<std::uint32_t>(LinkKind::NicUp);
  return (is_nvlink ? cluster.nvlink : cluster.nic).effective();
}

BytesPerSecond link_bandwidth(const Cluster& cluster, std::uint32_t link) {
  BytesPerSecond bandwidth = whole_bandwidth(cluster, link);
  for (const LinkOverride& degraded : cluster.degraded_links)
    if (degraded.link == link)
      bandwidth = bandwidth * degraded.bandwidth_factor;
  return bandwidth;
}

double gpu_speed(const Cluster& cluster, std::uint32_t gpu) {
  double speed = 1;
  for (const GpuOverride& slow : cluster.slow_gpus)
    if (slow.gpu == gpu)
      speed *= slow.speed;
  return speed;
}

std::string describe(const Cluster& cluster) {
  std::string text = fmt::format("cluster {} nodes={} gpus_per_node={} fabric={} collective_latency={} "
                                 "simple_collective_latency={} ring_exposed_steps={}\n",
                                 cluster.name, cluster.nodes, cluster.gpus_per_node, describe(cluster.fabric),
                                 format_seconds(cluster.collective_latency),
                                 format_seconds(cluster.simple_collective_latency), exact(cluster.ring_exposed_steps));
  text += fmt::format("gpu {} memory={} usable_memory={} memory_bandwidth={}", cluster.gpu.name,
                      format_bytes(cluster.gpu.memory_capacity), format_bytes(cluster.gpu.usable_memory()),
                      format_bandwidth(cluster.gpu.memory_bandwidth));
  for (std::size_t at = 0; at < precision_count; ++at)
    if (cluster.gpu.peak[at])
      text += fmt::format(" peak_{}={}", name_of(static_cast<Precision>(at)), format_flops_rate(*cluster.gpu.peak[at]));
  text += fmt::format("\nport nic {}\nport nvlink {}\n", describe(cluster.nic), describe(cluster.nvlink));
  for (std::uint32_t gpu = 0; gpu < cluster.gpu_count(); ++gpu) {
    text += fmt::format("node{}.gpu{} rank={} speed={}\n", cluster.node_of(gpu), gpu % cluster.gpus_per_node, gpu,
                        exact(gpu_speed(cluster, gpu)));
    for (std::uint32_t kind = 0; kind < links_per_gpu; ++kind)
      text += describe_link(cluster, link_of(gpu, static_cast<LinkKind>(kind)));
  }
  for (std::int64_t leaf = 0; leaf < cluster.leaf_count(); ++leaf) {
    const std::int64_t first = leaf * cluster.fabric.nodes_per_leaf;
    text += fmt::format("leaf{} nodes={}-{}\n", leaf, first,
                        std::min(first + cluster.fabric.nodes_per_leaf, cluster.nodes) - 1);
    for (const Trunk trunk : {Trunk::Up, Trunk::Down})
      text += describe_link(cluster, trunk_of(cluster, leaf, trunk));
  }
  return text;
}

std::string to_yaml(const Cluster& cluster, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text = fmt::format("{0}name: {1}\n{0}nodes: {2}\n{0}node:\n{0}  gpus: {3}\n", margin,
                                 config::double_quoted(cluster.name), cluster.nodes, cluster.gpus_per_node);
  text += fmt::format("{0}  nvlink: {1}\n{0}  nic: {2}\n{0}fabric: {3}\n", margin, port_yaml(cluster.nvlink),
                      port_yaml(cluster.nic), fabric_yaml(cluster.fabric));
  text += fmt::format("{0}collective_latency: {1}s\n{0}simple_collective_latency: {2}s\n"
                      "{0}ring_exposed_steps: {3}\n",
                      margin, exact(cluster.collective_latency.value()),
                      exact(cluster.simple_collective_latency.value()), exact(cluster.ring_exposed_steps));
  text += fmt::format("{}gpu:\n{}", margin, to_yaml(cluster.gpu, indent + 2));
  if (!cluster.slow_gpus.empty() || !cluster.degraded_links.empty())
    text += margin + "overrides:\n";
  for (const GpuOverride& slow : cluster.slow_gpus)
    text += fmt::format("{}  - {{gpu: {}, speed: {}}}\n", margin, slow.gpu, exact(slow.speed));
  for (const LinkOverride& degraded : cluster.degraded_links)
    text += fmt::format("{}  - {{link: {}, bandwidth_factor: {}}}\n", margin, link_name(cluster, degraded.link),
                        exact(degraded.bandwidth_factor));
  return text;
}

} // namespace moesim::platforms
