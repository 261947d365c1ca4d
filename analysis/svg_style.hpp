// What the elements of a timeline look like, the same in every picture.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/gantt_lanes.hpp"

namespace moesim::analysis {

// Chunks of a stage beyond this one look like it.
inline constexpr std::uint8_t last_shade = 3;

// As "#0072B2". Later chunks of a stage are lighter.
[[nodiscard]] std::string block_colour(BlockKind kind, std::uint8_t chunk);
// Whether text on the block has to be dark.
[[nodiscard]] bool is_light(BlockKind kind, std::uint8_t chunk);

// Sizes in pixels. A narrow picture goes into a column of a paper, where it is shrunk: its text is larger, and it says
// less.
struct PictureStyle {
  double width = 0;
  double text = 11; // of fonts
  double small = 10;
  double title = 16;
  double number = 10;
  double tiny = 7;
  double line = 16; // from one line of text to the next

  explicit PictureStyle(double requested_width);
  [[nodiscard]] bool is_narrow() const { return text > 11; }
  // The style sheet and the pattern of idle time, to put before everything else.
  [[nodiscard]] std::string definitions() const;
};

// About how wide a text is, in pixels.
[[nodiscard]] double text_width(std::string_view text, double font_size);

} // namespace moesim::analysis
