#include "platforms/fabric_words.hpp"

#include <fmt/format.h>

#include "simulator/base/format.hpp"

namespace moesim::platforms {
namespace {

// One value, or one for each level of trunks.
template <class Value>
std::string per_level(Value leaf, Value pod, bool has_pods) {
  return has_pods ? fmt::format("[{}, {}]", leaf, pod) : fmt::format("{}", leaf);
}

} // namespace

std::string_view type_name(const Fabric& fabric) {
  if (fabric.nodes_per_leaf == 0)
    return non_blocking;
  switch (fabric.rails) {
  case Rails::Joined:
    return rail_optimized;
  case Rails::Apart:
    return rail_only;
  case Rails::None:
    break;
  }
  return fat_tree;
}

std::string_view name_of(Routing routing) {
  switch (routing) {
  case Routing::Static:
    return "static";
  case Routing::Hashed:
    return "hashed";
  case Routing::Adaptive:
    break;
  }
  return "adaptive";
}

std::vector<FabricField> fields_of(const Fabric& fabric) {
  std::vector<FabricField> fields;
  const auto add = [&](std::string_view name, const std::string& text) { fields.push_back({name, text, text}); };
  const bool has_pods = fabric.leaves_per_pod > 0;
  if (fabric.nodes_per_leaf > 0 && fabric.rails != Rails::Apart) {
    if (has_pods)
      add("levels", "3");
    add("nodes_per_leaf", fmt::format("{}", fabric.nodes_per_leaf));
    if (has_pods)
      add("leaves_per_pod", fmt::format("{}", fabric.leaves_per_pod));
    add("oversubscription", per_level(fabric.oversubscription, fabric.pod_oversubscription, has_pods));
    if (fabric.uplinks > 0)
      add("uplinks", per_level(fabric.uplinks, fabric.pod_uplinks, has_pods));
    if (fabric.routing != Routing::Adaptive)
      add("routing", std::string(name_of(fabric.routing)));
    if (fabric.routing == Routing::Hashed)
      add("seed", fmt::format("{}", fabric.seed));
  }
  if (fabric.hop_latency > Seconds(0))
    fields.push_back(
        {"hop_latency", fmt::format("{}s", fabric.hop_latency.value()), format_seconds(fabric.hop_latency)});
  if (fabric.sharp)
    add("sharp", "true");
  if (fabric.switch_ports > 0)
    add("switch_ports", fmt::format("{}", fabric.switch_ports));
  if (fabric.port_bandwidth > BytesPerSecond(0))
    fields.push_back({"port_bandwidth", fmt::format("{}B/s", fabric.port_bandwidth.value()),
                      format_bandwidth(fabric.port_bandwidth)});
  return fields;
}

} // namespace moesim::platforms
