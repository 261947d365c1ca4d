#include "platforms/switch_ports.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "simulator/base/format.hpp"

namespace moesim::platforms {
namespace {

// Ports that carry so much together, as vendors print bandwidths.
std::int64_t ports_for(BytesPerSecond bandwidth, BytesPerSecond port) {
  constexpr double rounding = 1e-9;
  return static_cast<std::int64_t>(std::ceil(bandwidth / port - rounding));
}

class PortSum {
public:
  explicit PortSum(const Cluster& cluster)
      : cluster_(cluster), fabric_(cluster.fabric),
        port_(fabric_.port_bandwidth > BytesPerSecond(0) ? fabric_.port_bandwidth : cluster.nic.bandwidth) {}

  std::vector<PortProblem> problems() {
    check_uplinks();
    if (fabric_.switch_ports > 0) {
      check_leaf();
      if (has_trunks())
        check_upper_switches();
    }
    return problems_;
  }

private:
  [[nodiscard]] bool has_trunks() const {
    return fabric_.rails != Rails::Apart && cluster_.leaf_count() > cluster_.leaves_per_node();
  }
  [[nodiscard]] std::int64_t nics_below(std::int64_t nodes) const {
    return nodes * cluster_.node_nics() / cluster_.leaves_per_node();
  }
  [[nodiscard]] std::int64_t ports_down(std::int64_t nodes) const {
    return nics_below(nodes) * ports_for(cluster_.nic.bandwidth, port_);
  }
  [[nodiscard]] BytesPerSecond trunk_bandwidth(std::int64_t nodes) const {
    return static_cast<double>(nics_below(nodes)) * cluster_.nic.bandwidth / fabric_.oversubscription;
  }
  [[nodiscard]] std::int64_t ports_up(std::int64_t nodes) const {
    if (!has_trunks())
      return 0;
    return fabric_.uplinks > 0 ? fabric_.uplinks : ports_for(trunk_bandwidth(nodes), port_);
  }

  void check_uplinks() {
    if (fabric_.uplinks == 0)
      return;
    const BytesPerSecond needed = trunk_bandwidth(fabric_.nodes_per_leaf);
    if (const std::int64_t least = ports_for(needed, port_); fabric_.uplinks < least)
      problems_.push_back(
          {"uplinks", fmt::format("{} uplinks of {} are {}, and {} NICs of {} over an oversubscription of {} are {}; "
                                  "expected at least {} uplinks",
                                  fabric_.uplinks, format_bandwidth(port_),
                                  format_bandwidth(static_cast<double>(fabric_.uplinks) * port_),
                                  nics_below(fabric_.nodes_per_leaf), format_bandwidth(cluster_.nic.bandwidth),
                                  fabric_.oversubscription, format_bandwidth(needed), least)});
  }

  void check_leaf() {
    const auto taken = [&](std::int64_t nodes) { return ports_down(nodes) + ports_up(nodes); };
    const std::int64_t nodes = fabric_.nodes_per_leaf;
    if (taken(nodes) <= fabric_.switch_ports)
      return;
    std::int64_t most = nodes;
    while (most > 0 && taken(most) > fabric_.switch_ports)
      --most;
    const std::string_view field = fabric_.rails == Rails::Apart ? "nodes" : "nodes_per_leaf";
    const std::string fewer = most > 0 ? fmt::format("at most {} {}, or ", most, field) : std::string();
    refuse(fmt::format("{} ports to NICs and {} to uplinks are {} of a leaf switch, which has {}; expected {}{} "
                       "switch_ports",
                       ports_down(nodes), ports_up(nodes), taken(nodes), fabric_.switch_ports, fewer, taken(nodes)));
  }

  void check_upper_switches() {
    const std::int64_t ports = fabric_.switch_ports;
    if (!cluster_.has_pods()) {
      if (const std::int64_t leaves = cluster_.leaf_count(); leaves > ports)
        refuse(fmt::format("a spine switch takes a port for each of {} leaves, and has {}; expected larger leaves, "
                           "levels: 3, or {} switch_ports",
                           leaves, ports, leaves));
      return;
    }
    const std::int64_t down = fabric_.leaves_per_pod;
    const auto up = static_cast<std::int64_t>(std::ceil(static_cast<double>(down) / fabric_.pod_oversubscription));
    const std::int64_t pods = cluster_.pod_count();
    if (pods > 1 && down + up > ports)
      refuse(fmt::format("a spine switch takes a port for each of {} leaves and {} to the core, and has {}; expected "
                         "smaller pods, or {} switch_ports",
                         down, up, ports, down + up));
    if (pods > ports)
      refuse(fmt::format("a core switch takes a port for each of {} pods, and has {}; expected larger pods, or {} "
                         "switch_ports",
                         pods, ports, pods));
  }

  void refuse(std::string message) { problems_.push_back({"switch_ports", std::move(message)}); }

  const Cluster& cluster_;
  const Fabric& fabric_;
  BytesPerSecond port_;
  std::vector<PortProblem> problems_;
};

} // namespace

std::vector<PortProblem> port_problems(const Cluster& cluster) {
  const Fabric& fabric = cluster.fabric;
  const bool says_ports = fabric.switch_ports > 0 || fabric.port_bandwidth > BytesPerSecond(0);
  return says_ports ? PortSum(cluster).problems() : std::vector<PortProblem>();
}

} // namespace moesim::platforms
