// Whether the switches of a fabric have the ports that its NICs and uplinks take.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platforms/cluster.hpp"

namespace moesim::platforms {

struct PortProblem {
  std::string_view field; // of the section `fabric`
  std::string message;    // the sum, and what would be right
};

// Nothing to say of a fabric that names neither `switch_ports` nor `port_bandwidth`. A switch spends a port, or several
// where one is not wide enough, on each NIC below it, and as many on uplinks as the oversubscription asks for, or as
// `uplinks` says; each spine has a cable to each leaf of its pod, each core switch one to each pod.
[[nodiscard]] std::vector<PortProblem> port_problems(const Cluster& cluster);

} // namespace moesim::platforms
