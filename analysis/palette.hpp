// The colours of every timeline that moesim draws itself. Okabe and Ito's palette: told apart with every kind of colour
// blindness (Color Universal Design, 2008); violet and the greys come in addition.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "analysis/activity.hpp"
#include "analysis/gantt_lanes.hpp"

namespace moesim::analysis {

// 0xRRGGBB; the lightest of a kind's chunks are mixed with white by whoever draws.
[[nodiscard]] constexpr std::uint32_t colour_of(BlockKind kind) {
  switch (kind) {
  case BlockKind::Forward:
  case BlockKind::Prefill:
    return 0x0072B2;
  case BlockKind::Backward:
    return 0x009E73;
  case BlockKind::Decode:
    return 0x7B5EA7;
  case BlockKind::Optimizer:
    break;
  }
  return 0x3A3A3A;
}

// As CSS and SVG write colours; idle time has a hatching instead.
inline constexpr std::array<std::string_view, busy_activity_count + 1> activity_colours{
    "#B4B4B4", "#3A3A3A", "#D55E00", "#CC79A7", "#E69F00", "#F0E442", "#56B4E9", "none"};
inline constexpr std::array<std::string_view, busy_activity_count + 1> activity_labels{
    "compute", "optimizer step", "tp", "cp", "ep", "dp", "pp", "idle"};

} // namespace moesim::analysis
