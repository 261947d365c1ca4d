// Who sends what to whom where every pair is simulated (fidelity flow): there a rank is told apart by its partners, not
// only by whom it shares a group with.
#pragma once

#include <cstdint>
#include <vector>

#include "platforms/cluster.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/folding/signatures.hpp"
#include "simulator/graph/program.hpp"
#include "workloads/layout.hpp"

namespace moesim::folding {

// A flow of one position to another. Equal labels: in the same wave of the same communication, as large, and over links
// of the same kinds.
struct Exchange {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t label = 0;
};

struct Exchanges {
  std::vector<Exchange> flows;
  std::vector<std::vector<TrunkUser>> users_of_trunk; // of each trunk above the job, as in Places
  bool use_own_links = true;                          // likewise
};

// Of all collectives of the programs that are simulated pair by pair.
[[nodiscard]] Exchanges exchanges_of(const graph::Programs& programs, const workloads::Layout& layout,
                                     const platforms::Cluster& cluster, const cost::NetworkOptions& options);

} // namespace moesim::folding
