#include "platforms/cluster.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "platforms/base_file.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {
namespace {

Port read_port(config::MapReader map) {
  Port port;
  map.alias("bandwidth", "bandwidth_per_direction");
  port.bandwidth = map.bandwidth("bandwidth_per_direction");
  port.efficiency = map.number_or("efficiency", 1, {.min = 0.001, .max = 1});
  port.latency = map.seconds("latency");
  map.finish();
  return port;
}

// The links that an override names: "node3.nic2" both directions of a cable, "node3.nic2.up" one.
std::vector<std::uint32_t> links_named(const Cluster& cluster, std::string_view name) {
  std::vector<std::uint32_t> links;
  for (std::uint32_t link = 0; link < cluster.gpu_count() * links_per_gpu; ++link) {
    const std::string full = link_name(cluster, link);
    const std::string_view cable = std::string_view(full).substr(0, full.rfind('.'));
    if (name == full || name == cable)
      links.push_back(link);
  }
  return links;
}

void read_override(const config::Node& item, const std::string& path, Cluster& cluster, Problems& problems) {
  config::MapReader map(item, path, problems);
  if (map.has("gpu") == map.has("link")) {
    problems.add(item.position, path, "expected either gpu and speed, or link and bandwidth_factor");
  } else if (map.has("gpu")) {
    const std::int64_t gpu = map.integer("gpu", {.min = 0, .max = cluster.gpu_count() - 1});
    const double speed = map.number("speed", {.min = 1e-6, .max = 1e3});
    cluster.slow_gpus.push_back({static_cast<std::uint32_t>(gpu), speed});
    map.finish();
  } else {
    const std::string name = map.text("link");
    const double factor = map.number("bandwidth_factor", {.min = 1e-6, .max = 1e3});
    const std::vector<std::uint32_t> links = links_named(cluster, name);
    if (links.empty())
      map.problem("link", fmt::format("no link is called '{}'; links are called as `moesim dump platform` prints them, "
                                      "for example node0.nic0 or node0.nvlink0.up",
                                      name));
    for (const std::uint32_t link : links)
      cluster.degraded_links.push_back({link, factor});
    map.finish();
  }
}

void read_overrides(config::MapReader& map, Cluster& cluster, Problems& problems) {
  const config::Node* overrides = map.node("overrides");
  if (overrides == nullptr)
    return;
  if (overrides->kind != config::Node::Kind::Sequence) {
    map.problem("overrides", "expected a list such as [{gpu: 17, speed: 0.8}]");
    return;
  }
  for (std::size_t at = 0; at < overrides->items.size(); ++at)
    read_override(overrides->items[at], fmt::format("{}.{}", map.path_of("overrides"), at), cluster, problems);
}

} // namespace

Cluster read_cluster(const config::Node& section, const std::string& path, Problems& problems) {
  const BaseFile file = with_base(config::CatalogueKind::Cluster, section, path, problems);
  Cluster cluster;
  if (!file.found)
    return cluster;
  config::MapReader map(file.node, path, problems);
  cluster.name = map.text_or("name", file.name);
  map.text_or("description", "");
  map.integer_or("version", 1, {.min = 1, .max = 1});
  cluster.nodes = map.integer_or("nodes", 1, {.min = 1, .max = 1'000'000});
  config::MapReader node = map.map("node");
  cluster.gpus_per_node = node.integer("gpus", {.min = 1, .max = 1024});
  cluster.nvlink = read_port(node.map("nvlink"));
  cluster.nic = read_port(node.map("nic"));
  node.finish();
  cluster.collective_latency = map.seconds_or("collective_latency", Seconds(0));
  config::MapReader fabric = map.map_or_empty("fabric");
  constexpr std::array<std::string_view, 1> fabrics{"non-blocking"};
  fabric.choice_or("type", "non-blocking", fabrics);
  fabric.finish();
  if (const config::Node* gpu = map.node("gpu"))
    cluster.gpu = read_gpu(*gpu, map.path_of("gpu"), problems);
  else
    map.problem("gpu", "missing; expected a GPU of the catalogue, such as h100-sxm-80gb, or its figures");
  read_overrides(map, cluster, problems);
  map.finish();
  return cluster;
}

} // namespace moesim::platforms
