#include "platforms/cluster.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "platforms/base_file.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {
namespace {

constexpr std::int64_t most_gpus = 4'000'000;
constexpr std::size_t most_overrides = 10'000; // each is looked up for each link

Port read_port(config::MapReader map) {
  Port port;
  map.alias("bandwidth", "bandwidth_per_direction");
  port.bandwidth = map.bandwidth("bandwidth_per_direction");
  port.efficiency = map.number_or("efficiency", 1, {.min = 0.001, .max = 1});
  port.latency = map.seconds("latency");
  port.simple_latency = map.seconds_or("simple_latency", port.latency);
  map.finish();
  return port;
}

// The whole number that `text` starts with, at most a GPU's; nothing when it starts with none.
std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && number >= 0 ? std::optional(number) : std::nullopt;
}

Fabric read_fabric(config::MapReader map) {
  Fabric fabric;
  constexpr std::array<std::string_view, 2> types{"non-blocking", "fat-tree"};
  if (map.choice_or("type", types[0], types) == "fat-tree") {
    fabric.nodes_per_leaf = map.integer("nodes_per_leaf", {.min = 1, .max = most_gpus});
    fabric.oversubscription = map.number_or("oversubscription", 1, {.min = 1, .max = 1e3});
  }
  const config::Node* given = map.node("type");
  const bool is_non_blocking = given == nullptr || given->scalar == types[0]; // not just because it is misspelt
  for (const std::string_view field : {"nodes_per_leaf", "oversubscription"})
    if (map.node(field) != nullptr && is_non_blocking)
      map.problem(field, "a non-blocking fabric has no leaves; remove it, or say type: fat-tree");
  map.finish();
  return fabric;
}

// Those of the `count` links from `first` that `name` names: "node3.nic2" both directions of a cable, "node3.nic2.up"
// one.
std::vector<std::uint32_t> matching(const Cluster& cluster, std::string_view name, std::uint32_t first,
                                    std::uint32_t count) {
  std::vector<std::uint32_t> links;
  for (std::uint32_t link = first; link < first + count; ++link) {
    const std::string full = link_name(cluster, link);
    const std::string_view cable = std::string_view(full).substr(0, full.rfind('.'));
    if (name == full || name == cable)
      links.push_back(link);
  }
  return links;
}

// The links that an override names.
std::vector<std::uint32_t> links_named(const Cluster& cluster, std::string_view name) {
  constexpr std::string_view of_leaf = "leaf";
  constexpr std::string_view of_node = "node";
  if (name.starts_with(of_leaf)) {
    const auto leaf = leading_number(name.substr(of_leaf.size()));
    if (!leaf || *leaf >= cluster.leaf_count())
      return {};
    return matching(cluster, name, trunk_of(cluster, *leaf, Trunk::Up), trunks_per_leaf);
  }
  const std::size_t dot = name.find('.');
  if (!name.starts_with(of_node) || dot == std::string_view::npos)
    return {};
  const auto node = leading_number(name.substr(of_node.size()));
  const std::size_t digits = name.find_first_of("0123456789", dot);
  const auto index = leading_number(name.substr(std::min(digits, name.size())));
  if (!node || !index || *node >= cluster.nodes || *index >= cluster.gpus_per_node)
    return {};
  const auto gpu = static_cast<std::uint32_t>(*node * cluster.gpus_per_node + *index);
  return matching(cluster, name, link_of(gpu, LinkKind::NvlinkUp), links_per_gpu);
}

void read_override(const config::Node& item, const std::string& path, Cluster& cluster, Problems& problems) {
  config::MapReader map(item, path, problems);
  if (item.kind != config::Node::Kind::Map)
    return;
  if (map.has("gpu") == map.has("link")) {
    problems.add(item.position, path,
                 fmt::format("names {}; expected either gpu and speed, or link and bandwidth_factor",
                             map.has("gpu") ? "both a GPU and a link" : "neither a GPU nor a link"));
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
                                      "for example {}",
                                      name,
                                      cluster.has_leaves() ? "node0.nic0, node0.nvlink0.up or leaf0.up"
                                                           : "node0.nic0 or node0.nvlink0.up"));
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
    map.problem("overrides", config::mismatch(*overrides, "a list such as [{gpu: 17, speed: 0.8}]"));
    return;
  }
  if (overrides->items.size() > most_overrides) {
    map.problem("overrides", fmt::format("{} overrides; expected at most {}", overrides->items.size(), most_overrides));
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
  cluster.nodes = map.integer_or("nodes", 1, {.min = 1, .max = most_gpus});
  config::MapReader node = map.map("node");
  cluster.gpus_per_node = node.integer("gpus", {.min = 1, .max = 1024});
  cluster.nvlink = read_port(node.map("nvlink"));
  cluster.nic = read_port(node.map("nic"));
  node.finish();
  if (cluster.gpu_count() > most_gpus) {
    map.problem("nodes", fmt::format("{} nodes of {} GPUs are {} GPUs; expected at most {}", cluster.nodes,
                                     cluster.gpus_per_node, cluster.gpu_count(), most_gpus));
    cluster.nodes = 1;
  }
  cluster.collective_latency = map.seconds_or("collective_latency", Seconds(0));
  cluster.simple_collective_latency = map.seconds_or("simple_collective_latency", cluster.collective_latency);
  cluster.ring_exposed_steps = map.number_or("ring_exposed_steps", 0, {.min = 0, .max = 1});
  cluster.fabric = read_fabric(map.map_or_empty("fabric"));
  if (const config::Node* gpu = map.node("gpu"))
    cluster.gpu = read_gpu(*gpu, map.path_of("gpu"), problems);
  else
    map.problem("gpu", "missing; expected a GPU of the catalogue, such as h100-sxm-80gb, or its figures");
  read_overrides(map, cluster, problems);
  map.finish();
  return cluster;
}

} // namespace moesim::platforms
