// Sets fields of a scenario that is not read yet, by their paths.
#pragma once

#include <string_view>

#include "simulator/config/node.hpp"

namespace moesim::scenario {

// Applies one `--set` argument. A field below a catalogue name (`platform.nodes` of `platform: dgx-h100`) makes it
// {base: NAME} first; a degree of parallelism is set under the name that the scenario has it under. Throws InputError.
void assign(config::Node& root, std::string_view assignment);

// The same for a value of a file, where the path starts at `start`.
void assign(config::Node& root, std::string_view path, const Position& start, config::Node value);

} // namespace moesim::scenario
