#include "analysis/svg_style.hpp"

#include "analysis/palette.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double smallest_width = 300;
constexpr double narrow = 640; // and below

// Red, green and blue. Mixed here rather than by opacity, which would let the grid shine through.
std::array<double, 3> shade(BlockKind kind, std::uint8_t chunk) {
  const double white = 0.22 * std::min(chunk, last_shade);
  const std::uint32_t rgb = colour_of(kind);
  std::array<double, 3> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double part = static_cast<double>((rgb >> (16 - 8 * i)) & 0xffU);
    parts[i] = part + (255 - part) * white;
  }
  return parts;
}

} // namespace

std::string block_colour(BlockKind kind, std::uint8_t chunk) {
  std::string colour = "#";
  for (const double part : shade(kind, chunk))
    colour += fmt::format("{:02X}", static_cast<unsigned>(std::lround(part)));
  return colour;
}

bool is_light(BlockKind kind, std::uint8_t chunk) {
  const auto [red, green, blue] = shade(kind, chunk);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 150; // Rec. 601 luma
}

PictureStyle::PictureStyle(double requested_width) : width(std::max(requested_width, smallest_width)) {
  if (width > narrow)
    return;
  text = 13;
  small = 12;
  title = 15;
  number = 11;
  tiny = 8;
  line = 18;
}

std::string PictureStyle::definitions() const {
  return fmt::format(R"svg(<style>
text{{font-family:Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:{}px;fill:#222}}
.title{{font-size:{}px;font-weight:bold}}
.small{{font-size:{}px;fill:#555}}
.lane{{font-weight:bold}}
.number{{font-size:{}px;fill:#fff;text-anchor:middle}}
.tiny{{font-size:{}px}}
.dark{{fill:#222}}
.end{{text-anchor:end}}
.middle{{text-anchor:middle}}
.grid{{stroke:#000;stroke-opacity:.13}}
.axis{{stroke:#444}}
.block{{stroke:#fff;stroke-width:.7}}
.frame{{fill:none;stroke:#bbb;stroke-width:.6}}
</style>
<defs><pattern id="idle" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="4" height="4" fill="#fff"/><line x1="0" y1="0" x2="0" y2="4" stroke="#ccc" stroke-width="1.4"/>
</pattern></defs>
)svg",
                     text, title, small, number, tiny);
}

double text_width(std::string_view text, double font_size) {
  const auto letters = std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; });
  return 0.55 * font_size * static_cast<double>(letters); // Helvetica: 0.5 to 0.6 of its size
}

} // namespace moesim::analysis
