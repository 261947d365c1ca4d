#include <fmt/format.h>

#include "platforms/cluster.hpp"
#include "platforms/fabric_words.hpp"
#include "platforms/links.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::platforms {
namespace {

// fmt writes a double in the fewest digits that read back to the same value.
std::string port_yaml(const Port& port, std::string_view more = "") {
  return fmt::format("{{bandwidth_per_direction: {}B/s, efficiency: {}, latency: {}s, simple_latency: {}s{}}}",
                     port.bandwidth.value(), port.efficiency, port.latency.value(), port.simple_latency.value(), more);
}

std::string node_yaml(const Cluster& cluster, const std::string& margin) {
  std::string text = fmt::format("{0}node:\n{0}  gpus: {1}\n", margin, cluster.gpus_per_node);
  if (cluster.node_network != NodeNetwork::Pcie)
    text += fmt::format("{}  nvlink: {}\n", margin,
                        port_yaml(cluster.nvlink, cluster.node_network == NodeNetwork::Mesh ? ", type: mesh" : ""));
  if (cluster.pcie)
    text += fmt::format("{}  pcie: {}\n", margin, port_yaml(*cluster.pcie));
  const std::string per_node =
      cluster.nics_per_node > 0 ? fmt::format(", per_node: {}", cluster.nics_per_node) : std::string();
  return text + fmt::format("{}  nic: {}\n", margin, port_yaml(cluster.nic, per_node));
}

std::string fabric_yaml(const Fabric& fabric) {
  std::string text = fmt::format("{{type: {}", type_name(fabric));
  for (const FabricField& field : fields_of(fabric))
    text += fmt::format(", {}: {}", field.name, field.yaml);
  return text + "}";
}

std::string overrides_yaml(const Cluster& cluster, const std::string& margin) {
  if (cluster.slow_gpus.empty() && cluster.degraded_links.empty())
    return "";
  std::string text = margin + "overrides:\n";
  for (const GpuOverride& slow : cluster.slow_gpus)
    text += fmt::format("{}  - {{gpu: {}, speed: {}}}\n", margin, slow.gpu, slow.speed);
  for (const LinkOverride& degraded : cluster.degraded_links)
    text += fmt::format("{}  - {{link: {}, bandwidth_factor: {}}}\n", margin, link_name(cluster, degraded.link),
                        degraded.bandwidth_factor);
  return text;
}

} // namespace

std::string to_yaml(const Cluster& cluster, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text =
      fmt::format("{0}name: {1}\n{0}nodes: {2}\n", margin, config::double_quoted(cluster.name), cluster.nodes);
  text += node_yaml(cluster, margin) + fmt::format("{}fabric: {}\n", margin, fabric_yaml(cluster.fabric));
  text += fmt::format("{0}collective_latency: {1}s\n{0}simple_collective_latency: {2}s\n"
                      "{0}ring_exposed_steps: {3}\n",
                      margin, cluster.collective_latency.value(), cluster.simple_collective_latency.value(),
                      cluster.ring_exposed_steps);
  text += fmt::format("{}collectives:\n{}", margin, to_yaml(cluster.protocols, indent + 2));
  return text + fmt::format("{}gpu:\n{}", margin, to_yaml(cluster.gpu, indent + 2)) + overrides_yaml(cluster, margin);
}

} // namespace moesim::platforms
