#include "platforms/read_fabric.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "platforms/fabric_words.hpp"
#include "platforms/switch_ports.hpp"
#include "simulator/config/field_value.hpp"

namespace moesim::platforms {
namespace {

constexpr std::int64_t most_nodes = 4'000'000;
constexpr std::int64_t most_uplinks = 1024;     // of one switch or pod
constexpr std::int64_t most_links = 50'000'000; // uplinks that routing tells apart
constexpr std::int64_t most_switch_ports = 100'000;
constexpr std::int64_t most_seed = 1'000'000'000;

// The fields that only fabrics with trunks have, then those that any with switches has.
constexpr std::array<std::string_view, 7> trunk_fields{"nodes_per_leaf", "oversubscription", "levels", "leaves_per_pod",
                                                       "uplinks",        "routing",          "seed"};
constexpr std::array<std::string_view, 3> switch_fields{"hop_latency", "switch_ports", "port_bandwidth"};

// A value for the trunks of leaves and one for those of pods.
template <class Value>
struct PerLevel {
  Value leaf;
  Value pod;
};

// One value, which is that of leaves (pods then take `otherwise`), or a list with one for each level of trunks.
template <class Range, class Value>
PerLevel<Value> per_level(config::MapReader& map, std::string_view key, PerLevel<Value> otherwise, Range range,
                          std::int64_t levels, config::Reading<Value> (*read)(const config::Node&, Range)) {
  PerLevel<Value> result = otherwise;
  const config::Node* given = map.node(key);
  if (given == nullptr)
    return result;
  const auto value = [&](const config::Node& node) {
    const config::Reading<Value> reading = read(node, range);
    if (!reading.value)
      map.problem(key, reading.problem);
    return reading.value.value_or(range.min);
  };
  if (given->kind != config::Node::Kind::Sequence) {
    result.leaf = value(*given);
  } else if (given->items.size() != static_cast<std::size_t>(levels - 1)) {
    map.problem(key, fmt::format("{} values for {} levels; expected {}", given->items.size(), levels,
                                 levels == 2 ? "one, of the trunks between leaves and spine"
                                             : "two, of the trunks of leaves and of pods"));
  } else {
    result.leaf = value(given->items.front());
    if (levels > 2)
      result.pod = value(given->items.back());
  }
  return result;
}

void read_levels(config::MapReader& map, Fabric& fabric) {
  const std::int64_t levels = map.integer_or("levels", 2, {.min = 2, .max = 3});
  if (levels == 3)
    fabric.leaves_per_pod = map.integer("leaves_per_pod", {.min = 1, .max = most_nodes});
  else if (map.node("leaves_per_pod") != nullptr)
    map.problem("leaves_per_pod", "a fabric with two levels has no pods; remove it, or say levels: 3");
  const auto ratio = per_level<config::NumberRange, double>(map, "oversubscription", {1, 1}, {.min = 1, .max = 1e3},
                                                            levels, config::read_number);
  fabric.oversubscription = ratio.leaf;
  fabric.pod_oversubscription = ratio.pod;
  const auto uplinks = per_level<config::IntegerRange, std::int64_t>(
      map, "uplinks", {0, 0}, {.min = 1, .max = most_uplinks}, levels, config::read_integer);
  fabric.uplinks = uplinks.leaf;
  fabric.pod_uplinks = uplinks.pod;
}

void read_routing(config::MapReader& map, Fabric& fabric) {
  const std::array names{name_of(Routing::Adaptive), name_of(Routing::Static), name_of(Routing::Hashed)};
  const std::string routing = map.choice_or("routing", names[0], names);
  for (const Routing candidate : {Routing::Static, Routing::Hashed})
    if (routing == name_of(candidate))
      fabric.routing = candidate;
  if (fabric.routing == Routing::Hashed)
    fabric.seed = static_cast<std::uint64_t>(map.integer_or("seed", 1, {.min = 0, .max = most_seed}));
  else if (map.node("seed") != nullptr)
    map.problem("seed", fmt::format("{} routing draws nothing; remove it, or say routing: hashed", routing));
  if (fabric.routing == Routing::Adaptive)
    return;
  if (fabric.uplinks == 0)
    map.problem("uplinks",
                fmt::format("missing; {} routing chooses between the uplinks of a leaf: say how many", routing));
  else if (fabric.leaves_per_pod > 0 && fabric.pod_uplinks == 0)
    map.problem("uplinks", fmt::format("says nothing of pods; {} routing chooses between their uplinks, too: expected "
                                       "two values, such as [{}, {}]",
                                       routing, fabric.uplinks, fabric.uplinks));
}

void read_switches(config::MapReader& map, Fabric& fabric) {
  fabric.hop_latency = map.seconds_or("hop_latency", Seconds(0));
  fabric.switch_ports = map.integer_or("switch_ports", 0, {.min = 2, .max = most_switch_ports});
  if (map.has("port_bandwidth"))
    fabric.port_bandwidth = map.bandwidth("port_bandwidth");
}

// A rail is one switch; nothing else joins the NICs of a rail.
void read_rail_only(config::MapReader& map, Cluster& cluster) {
  cluster.fabric.rails = Rails::Apart;
  cluster.fabric.nodes_per_leaf = map.integer_or("nodes_per_leaf", cluster.nodes, {.min = 1, .max = most_nodes});
  if (cluster.fabric.nodes_per_leaf < cluster.nodes)
    map.problem("nodes_per_leaf",
                fmt::format("without a spine, nothing joins the {} nodes of a leaf to the other {}; expected {}, or "
                            "type: {}",
                            cluster.fabric.nodes_per_leaf, cluster.nodes - cluster.fabric.nodes_per_leaf, cluster.nodes,
                            rail_optimized));
  cluster.fabric.nodes_per_leaf = cluster.nodes;
  for (const std::string_view field : trunk_fields)
    if (field != trunk_fields[0] && map.node(field) != nullptr)
      map.problem(field, fmt::format("a rail-only fabric has no trunks; remove it, or say type: {}", rail_optimized));
  read_switches(map, cluster.fabric);
}

void read_trunks(config::MapReader& map, Cluster& cluster, Rails rails) {
  Fabric& fabric = cluster.fabric;
  fabric.rails = rails;
  fabric.nodes_per_leaf = map.integer("nodes_per_leaf", {.min = 1, .max = most_nodes});
  read_levels(map, fabric);
  read_routing(map, fabric);
  read_switches(map, fabric);
  const std::int64_t rail_count = cluster.leaves_per_node();
  if (fabric.leaves_per_pod % rail_count != 0)
    map.problem("leaves_per_pod",
                fmt::format("{} cuts through the {} leaves of a group of nodes, one for each rail; expected a multiple "
                            "of {}",
                            fabric.leaves_per_pod, rail_count, rail_count));
  const std::int64_t links = cluster.leaf_count() * fabric.uplinks + cluster.pod_count() * fabric.pod_uplinks;
  if (fabric.routing != Routing::Adaptive && links > most_links)
    map.problem("uplinks", fmt::format("make {} with all leaves and pods; expected at most {}", links, most_links));
}

void refuse_leaves(config::MapReader& map) {
  const config::Node* given = map.node("type");
  const bool is_meant = given == nullptr || given->scalar == non_blocking; // not just because it is misspelt
  const auto refuse = [&](std::string_view field) {
    if (map.node(field) != nullptr && is_meant)
      map.problem(field, "a non-blocking fabric has no leaves; remove it, or say type: fat-tree");
  };
  for (const std::string_view field : trunk_fields)
    refuse(field);
  for (const std::string_view field : switch_fields)
    refuse(field);
}

} // namespace

void read_fabric(config::MapReader map, Cluster& cluster) {
  constexpr std::array types{non_blocking, fat_tree, rail_optimized, rail_only};
  const std::string type = map.choice_or("type", non_blocking, types);
  cluster.fabric.sharp = map.boolean_or("sharp", false);
  if (type == non_blocking)
    refuse_leaves(map);
  else if (type == rail_only)
    read_rail_only(map, cluster);
  else
    read_trunks(map, cluster, type == fat_tree ? Rails::None : Rails::Joined);
  for (const PortProblem& problem : port_problems(cluster))
    map.problem(problem.field, problem.message);
  map.finish();
}

} // namespace moesim::platforms
