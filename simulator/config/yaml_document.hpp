// YAML text to a tree, through yaml-cpp's parser events: they carry every position and show duplicate keys, which
// YAML::Node hides.
#pragma once

#include <string>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::config {

// The one document in `text`, of any kind; null when `text` holds none. `start` is where its first character stands.
// Notes in `problems` what a reader could still go on with; throws InputError, with those too, at a syntax error.
[[nodiscard]] Node parse_yaml_value(const std::string& text, const Position& start, Problems& problems);

} // namespace moesim::config
