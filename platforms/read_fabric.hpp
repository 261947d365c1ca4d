// Reads the `fabric` section of a platform.
#pragma once

#include "platforms/cluster.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {

// Into a cluster whose nodes are known. Notes what is wrong, also what the nodes and the fabric cannot be together:
// ports that do not suffice, NICs that nothing joins.
void read_fabric(config::MapReader map, Cluster& cluster);

} // namespace moesim::platforms
