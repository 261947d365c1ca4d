// Where the tokens of each layer and micro-batch go, and what steps amount to that depends on it. Such a step is of a
// family of works, of which each rank does the one of its own load. Ranks of the job have a position, the same for all
// ranks that do the same in different stages (workloads/layout.hpp).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "simulator/graph/token_traffic.hpp"

namespace moesim::graph {

inline constexpr std::uint32_t no_family = std::numeric_limits<std::uint32_t>::max();

// How the token copies of a layer and a micro-batch are spread over the positions.
struct TokenSpread {
  std::vector<std::uint32_t> load_of;    // the load of each position
  std::vector<std::uint32_t> matrix_of;  // into TokenLoads::matrices: what the rank's expert group exchanges
  std::vector<std::uint32_t> weights_of; // likewise: experts' weights; empty where none are sent
};

struct TokenLoads {
  std::vector<std::uint32_t> position_of; // of each rank of the job
  std::vector<std::shared_ptr<const TokenMatrix>> matrices;
  std::vector<TokenSpread> spreads;
  std::uint32_t layers = 0;
  std::uint32_t micro_batches = 0;
  // Into `spreads`, by batch (micro-batches of equally many tokens are of one), layer and micro-batch.
  std::vector<std::uint32_t> spread_of;

  [[nodiscard]] std::uint32_t spread(std::uint32_t batch, std::int32_t layer, std::int32_t micro_batch) const {
    return spread_of[(batch * layers + static_cast<std::uint32_t>(layer)) * micro_batches +
                     static_cast<std::uint32_t>(micro_batch)];
  }
};

struct WorkFamily {
  std::uint32_t batch = 0;          // of the micro-batches whose tokens it is about
  std::vector<std::uint32_t> works; // into Programs::works, by load
};

} // namespace moesim::graph
