// Finds the two ends of pipeline transfers: the record has a row at the sender and one at the receiver, with equal
// times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct TransferPair {
  std::uint32_t send_rank = 0;
  std::uint32_t receive_rank = 0;
  std::size_t send_row = 0;
  std::size_t receive_row = 0;
};

// The transfers among `ranks`, by sender in the order of `ranks`, then by stream, receiver and time.
[[nodiscard]] std::vector<TransferPair> transfer_pairs(const record::RunRecord& run,
                                                       std::span<const std::uint32_t> ranks);

} // namespace moesim::analysis
