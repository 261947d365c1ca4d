// A cluster's network in words: what each tier carries, how far apart GPUs are, and what half of them send to the rest.
#pragma once

#include <string>
#include <vector>

#include "platforms/cluster.hpp"

namespace moesim::analysis {

struct TopologyLine {
  std::string what; // "NIC", "leaf to spine", ...
  std::string words;
};

// Tier by tier from the GPUs upwards, then hops, then the bisection. Bandwidths are per direction and what a payload
// reaches, overrides aside.
[[nodiscard]] std::vector<TopologyLine> topology_words(const platforms::Cluster& cluster);

} // namespace moesim::analysis
