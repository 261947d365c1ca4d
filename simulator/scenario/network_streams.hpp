// The streams of `simulation.network` and `simulation.algorithms`, by which a scenario says how each communicates.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/cost/cost_table.hpp"

namespace moesim::scenario {

struct NetworkStream {
  std::string_view name;
  std::vector<graph::Stream> streams; // at least one
  std::vector<graph::Kind> kinds;     // that an algorithm can be chosen for
};
[[nodiscard]] std::span<const NetworkStream> network_streams();

// The two fields, as they are read.
[[nodiscard]] std::string network_yaml(const cost::NetworkOptions& network);

} // namespace moesim::scenario
