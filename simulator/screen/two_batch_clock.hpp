// The halves of a micro-batch that take turns on a stage. Follows what workloads/two_batch.cpp writes, with two
// streams: what stays in line, and communication that experts need.
#pragma once

#include <algorithm>
#include <array>

#include "simulator/base/units.hpp"

namespace moesim::screen {

// A turn of either half: kernels and collectives in line, and then what is sent while the other half has its turn.
struct TwoBatchTurn {
  Seconds in_line, sent;
};

class TwoBatchClock {
public:
  // Both halves, one after the other; each waits for what it sent before.
  void run(const TwoBatchTurn& turn) {
    for (Seconds& arrival : arrivals_) {
      ready_ = std::max(ready_, arrival) + turn.in_line;
      if (turn.sent > Seconds())
        arrival = sent_ = std::max(sent_, ready_) + turn.sent;
    }
  }
  // Since the start, once nothing is on its way.
  [[nodiscard]] Seconds end() const { return std::max({ready_, arrivals_[0], arrivals_[1]}); }

private:
  Seconds ready_, sent_;
  std::array<Seconds, 2> arrivals_{};
};

} // namespace moesim::screen
