#include "platforms/cluster.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "platforms/base_file.hpp"
#include "platforms/links.hpp"
#include "platforms/read_fabric.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/base/divisors.hpp"
#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {
namespace {

constexpr std::int64_t most_gpus = 4'000'000;
constexpr std::int64_t most_gpus_per_node = 1024;
constexpr std::int64_t most_nics_per_node = 8192;
constexpr std::int64_t most_in_mesh = 19;      // NVIDIA H100 white paper: a GPU has 18 NVLinks
constexpr std::size_t most_overrides = 10'000; // each is looked up for each link

// How much of a port there is to say.
enum class PortUse { Steps, Hop }; // of the steps of collectives, or a hop on the way of what others send

Port read_port(config::MapReader& map, PortUse use) {
  Port port;
  map.alias("bandwidth", "bandwidth_per_direction");
  port.bandwidth = map.bandwidth("bandwidth_per_direction");
  port.efficiency = map.number_or("efficiency", 1, {.min = 0.001, .max = 1});
  port.latency = use == PortUse::Steps ? map.seconds("latency") : map.seconds_or("latency", Seconds(0));
  port.simple_latency = map.seconds_or("simple_latency", port.latency);
  return port;
}

void read_nvlink(config::MapReader map, Cluster& cluster) {
  constexpr std::array<std::string_view, 2> types{"switch", "mesh"};
  cluster.nvlink = read_port(map, PortUse::Steps);
  if (map.choice_or("type", types[0], types) == types[1]) {
    cluster.node_network = NodeNetwork::Mesh;
    if (cluster.gpus_per_node > most_in_mesh)
      map.problem("type", fmt::format("a mesh of {} GPUs needs {} ports a GPU; expected at most {} GPUs, or type: "
                                      "switch",
                                      cluster.gpus_per_node, cluster.gpus_per_node - 1, most_in_mesh));
  }
  map.finish();
}

void read_nic(config::MapReader map, Cluster& cluster) {
  cluster.nic = read_port(map, PortUse::Steps);
  if (map.has("per_node")) {
    const std::int64_t gpus = cluster.gpus_per_node;
    const std::int64_t nics = map.integer("per_node", {.min = 1, .max = most_nics_per_node});
    if (nics % gpus != 0 && gpus % nics != 0)
      map.problem("per_node",
                  fmt::format("{} GPUs cannot share {} NICs evenly; expected {}", gpus, nics,
                              nics < gpus ? nearest_divisors(gpus, nics)
                                          : fmt::format("{} or {}", nics / gpus * gpus, (nics / gpus + 1) * gpus)));
    else
      cluster.nics_per_node = nics;
    if (cluster.shares_nics() && !cluster.pcie)
      map.problem("per_node", fmt::format("{} GPUs share {} NICs, and nothing says how they reach them; add "
                                          "pcie: {{bandwidth_per_direction: ...}} to the node, or expected {}",
                                          gpus, nics, gpus));
  }
  map.finish();
}

// NVLink, PCIe, or both: then PCIe is the hop between GPU and NIC.
void read_node(config::MapReader node, Cluster& cluster) {
  cluster.gpus_per_node = node.integer("gpus", {.min = 1, .max = most_gpus_per_node});
  const bool has_nvlink = node.has("nvlink") || !node.has("pcie");
  if (node.has("pcie")) {
    config::MapReader pcie = node.map("pcie");
    cluster.pcie = read_port(pcie, has_nvlink ? PortUse::Hop : PortUse::Steps);
    pcie.finish();
  }
  if (has_nvlink)
    read_nvlink(node.map("nvlink"), cluster);
  else
    cluster.node_network = NodeNetwork::Pcie;
  read_nic(node.map("nic"), cluster);
  node.finish();
}

// The whole number that `text` starts with, at most a GPU's; nothing when it starts with none.
std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc() && number >= 0 ? std::optional(number) : std::nullopt;
}

// Those of the `count` links from `first` that `name` names: "node3.nic2" both directions of a cable, "node3.nic2.up"
// one, "leaf0" all of its uplinks.
void add_matching(const Cluster& cluster, std::string_view name, std::uint32_t first, std::uint32_t count,
                  std::vector<std::uint32_t>& links) {
  for (std::uint32_t link = first; link < first + count; ++link) {
    const std::string full = link_name(cluster, link);
    if (full == name || (full.starts_with(name) && full[name.size()] == '.'))
      links.push_back(link);
  }
}

void add_trunks(const Cluster& cluster, std::string_view name, Tier tier, std::int64_t site,
                std::vector<std::uint32_t>& links) {
  if (site < site_count(cluster, tier))
    add_matching(cluster, name, trunk_of(cluster, tier, site, Trunk::Up), uplinks_of(cluster, tier) * links_per_trunk,
                 links);
}

// The links that an override names.
std::vector<std::uint32_t> links_named(const Cluster& cluster, std::string_view name) {
  constexpr std::string_view of_leaf = "leaf";
  constexpr std::string_view of_pod = "pod";
  constexpr std::string_view of_node = "node";
  std::vector<std::uint32_t> links;
  for (const auto& [prefix, tier] : {std::pair(of_leaf, Tier::Leaf), std::pair(of_pod, Tier::Pod)})
    if (name.starts_with(prefix))
      if (const auto site = leading_number(name.substr(prefix.size())))
        add_trunks(cluster, name, tier, *site, links);
  const std::size_t dot = name.find('.');
  if (!name.starts_with(of_node) || dot == std::string_view::npos)
    return links;
  const auto node = leading_number(name.substr(of_node.size()));
  const std::size_t digits = name.find_first_of("0123456789", dot);
  const auto index = leading_number(name.substr(std::min(digits, name.size())));
  if (!node || !index || *node >= cluster.nodes)
    return links;
  if (*index < cluster.gpus_per_node) {
    const auto gpu = static_cast<std::uint32_t>(*node * cluster.gpus_per_node + *index);
    add_matching(cluster, name, gpu * links_per_gpu(cluster), links_per_gpu(cluster), links);
  }
  if (*index < cluster.node_nics())
    add_trunks(cluster, name, Tier::Nic, *node * cluster.node_nics() + *index, links);
  return links;
}

// "node0.nic0, node0.nvlink0.up or leaf0.up"
std::string example_names(const Cluster& cluster) {
  const std::string first = link_name(cluster, 0);
  if (site_count(cluster, Tier::Leaf) == 0)
    return fmt::format("node0.nic0 or {}", first);
  return fmt::format("node0.nic0, {} or {}", first, link_name(cluster, trunk_of(cluster, 0, Trunk::Up)));
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
                                      name, example_names(cluster)));
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
  read_node(map.map("node"), cluster);
  if (cluster.gpu_count() > most_gpus) {
    map.problem("nodes", fmt::format("{} nodes of {} GPUs are {} GPUs; expected at most {}", cluster.nodes,
                                     cluster.gpus_per_node, cluster.gpu_count(), most_gpus));
    cluster.nodes = 1;
  }
  cluster.collective_latency = map.seconds_or("collective_latency", Seconds(0));
  cluster.simple_collective_latency = map.seconds_or("simple_collective_latency", cluster.collective_latency);
  cluster.protocols = read_protocols(map.map_or_empty("collectives"));
  cluster.ring_exposed_steps = map.number_or("ring_exposed_steps", 0, {.min = 0, .max = 1});
  read_fabric(map.map_or_empty("fabric"), cluster);
  if (const config::Node* gpu = map.node("gpu"))
    cluster.gpu = read_gpu(*gpu, map.path_of("gpu"), problems);
  else
    map.problem("gpu", "missing; expected a GPU of the catalogue, such as h100-sxm-80gb, or its figures");
  read_overrides(map, cluster, problems);
  map.finish();
  return cluster;
}

} // namespace moesim::platforms
