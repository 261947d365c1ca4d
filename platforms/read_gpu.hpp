// Reads a GPU type from YAML and writes it back.
#pragma once

#include <string>

#include "platforms/gpu.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::platforms {

// Reads the `gpu` section of a cluster: a catalogue name, a path, a map with `base` and what differs from it, or
// everything inline. Problems are noted; the result is then not to be used.
[[nodiscard]] Gpu read_gpu(const config::Node& section, const std::string& path, Problems& problems);

// The GPU as a YAML map that read_gpu() reads back to the same value, every figure spelled out, indented by `indent`.
[[nodiscard]] std::string to_yaml(const Gpu& gpu, int indent);

} // namespace moesim::platforms
