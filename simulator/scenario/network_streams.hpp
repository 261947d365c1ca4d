// The streams of `simulation.network` and `simulation.algorithms`, by which a scenario says how each communicates.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/cost/cost_table.hpp"
#include "simulator/graph/program.hpp"

namespace moesim::scenario {

struct NetworkStream {
  std::string_view name;
  std::vector<graph::Stream> streams; // at least one
  std::vector<graph::Kind> kinds;     // that an algorithm can be chosen for
};
[[nodiscard]] std::span<const NetworkStream> network_streams();

// The two fields, as they are read.
[[nodiscard]] std::string network_yaml(const cost::NetworkOptions& network);
// What `simulation.streams` has between its braces: for each stream of collectives the one that it shares.
[[nodiscard]] std::string streams_yaml(const graph::Queues& queues);

} // namespace moesim::scenario
