// The bubbles of the interactive page: when a rank idles, and in a few words why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/gantt_lanes.hpp"
#include "analysis/waits.hpp"

namespace moesim::analysis {

struct PageBubble {
  double start = 0;               // s
  double end = 0;                 // s
  std::string label;              // "waits for B3 on stage 2"
  std::optional<std::size_t> row; // that waits: the first with which the rank is busy again
};
// In order of time: all that stretches() calls idle.
[[nodiscard]] std::vector<PageBubble> page_bubbles(const record::RunRecord& run, const Waits& waits,
                                                   std::uint32_t rank);

} // namespace moesim::analysis
