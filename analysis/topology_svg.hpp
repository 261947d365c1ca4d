// A cluster's network as a picture: nodes with GPUs and NICs, the switches above them, and what each tier carries.
#pragma once

#include <string>

#include "platforms/cluster.hpp"

namespace moesim::analysis {

// An SVG document, 1,200 pixels wide. Of a large cluster the first two nodes and the last one are drawn, of a large
// node the first GPUs and the last one; the rest is counted.
[[nodiscard]] std::string topology_svg(const platforms::Cluster& cluster);

} // namespace moesim::analysis
