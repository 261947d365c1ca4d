#include "platforms/switch_ports.hpp"

#include <cmath>

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
    const std::string way_out = most == 0
                                    ? fmt::format("at least {} switch_ports", taken(nodes))
                                    : fmt::format("at most {} nodes_per_leaf, or {} switch_ports", most, taken(nodes));
    problems_.push_back(
        {"switch_ports", fmt::format("{} ports to NICs and {} to uplinks are {} of a leaf switch, which "
                                     "has {}; expected {}",
                                     ports_down(nodes), ports_up(nodes), taken(nodes), fabric_.switch_ports, way_out)});
  }

  void check_upper_switches() {
    if (!cluster_.has_pods())
      return expect_ports("spine", cluster_.leaf_count(), "leaf", 0);
    const auto up = static_cast<std::int64_t>(
        std::ceil(static_cast<double>(fabric_.leaves_per_pod) / fabric_.pod_oversubscription));
    expect_ports("spine", fabric_.leaves_per_pod, "leaf of its pod", cluster_.pod_count() > 1 ? up : 0);
    if (cluster_.pod_count() > 1)
      expect_ports("core", cluster_.pod_count(), "pod", 0);
  }

  void expect_ports(std::string_view which, std::int64_t down, std::string_view below, std::int64_t up) {
    if (down + up > fabric_.switch_ports)
      problems_.push_back({"switch_ports", fmt::format("a {} switch has one to each {}: {}{}, of {}; expected at least "
                                                       "{}, or larger leaves{}",
                                                       which, below, down, up > 0 ? fmt::format(", and {} up", up) : "",
                                                       fabric_.switch_ports, down + up,
                                                       cluster_.has_pods() ? " and pods" : " or levels: 3")});
  }

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
