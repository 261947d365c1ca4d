// All-to-all in which each member sends each other something else (MPI_Alltoallv), as tokens want it whose experts are
// not equally liked.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "simulator/cost/communication.hpp"

namespace moesim::cost {

// What each member sends to each other, row by row: members x members. What a member keeps is not sent.
struct Traffic {
  std::vector<Bytes> bytes;

  [[nodiscard]] Bytes from_to(std::size_t from, std::size_t to, std::size_t members) const {
    return bytes[from * members + to];
  }
};

// All messages at once. Analytic and Fluid: of each member and tier of the network a flow out, with all that it sends
// over the tier, and a flow in, with all that it receives; it is over when all have arrived, so the fullest sender or
// receiver sets the pace. Flow: a flow for each pair. The latency is that of an all-to-all of this group.
[[nodiscard]] execution::Communication all_to_all_v(const Traffic& traffic, Fidelity fidelity,
                                                    std::span<const RankId> members, const platforms::Cluster& cluster);

} // namespace moesim::cost
