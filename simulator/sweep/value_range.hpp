// Ranges of an axis, {from: 1, to: 8, step: 1} and {from: 1, to: 64, factor: 2}, as lists of values.
#pragma once

#include <vector>

#include "simulator/config/map_reader.hpp"

namespace moesim::sweep {

// The values of a range, its end included where a step meets it. Whole where all of its numbers are; otherwise rounded
// to 12 digits, so that 0.1 + 0.2 is 0.3. `map` is the axis; its problems are noted, and then there are no values.
[[nodiscard]] std::vector<config::Node> read_range(config::MapReader& map);

} // namespace moesim::sweep
