// What the experts of one rank get to do in one layer for one micro-batch, where that is not the same for all ranks.
#pragma once

#include <compare>
#include <cstdint>
#include <numeric>
#include <vector>

namespace moesim::workloads {

// Token copies, rounded up where the mean over many draws is meant. Those that are dropped are not in it.
struct RankLoad {
  std::int64_t routed = 0;   // that the rank sends to experts
  std::int64_t received = 0; // that are sent to it
  std::vector<std::int64_t>
      rows; // of each of its experts that meets any, the most first; of all ranks of its etp group

  // Experts whose weights the rank sends to others that took their tokens, and gets; nothing is ever sent where ranks
  // do not steal tokens from each other.
  bool may_steal = false;
  std::int64_t weights_sent = 0;
  std::int64_t weights_received = 0;

  [[nodiscard]] std::int64_t all_rows() const { return std::accumulate(rows.begin(), rows.end(), std::int64_t{0}); }

  auto operator<=>(const RankLoad&) const = default;
};

} // namespace moesim::workloads
