#include "analysis/chart_axes.hpp"

#include "analysis/text_flow.hpp"
#include "analysis/time_axis.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double tick_length = 4;
constexpr double logarithmic_from = 8; // largest over smallest

// Ticks of plain numbers.
std::vector<Tick> ticks(double from, double to, int most) {
  return time_axis(from, to, most, TimeUnit::Arbitrary).ticks;
}

// The text in the room that there is.
std::string cut(const std::string& text, double width, double size) {
  return lines_of({text}, "", width, size).front();
}

} // namespace

std::string level_name(const std::string& level) {
  return level.empty() ? "as given" : level;
}

LevelPositions level_positions(const SweepAxis& axis, double from, double to) {
  LevelPositions positions;
  const std::size_t count = axis.levels.size();
  if (axis.numbers.empty()) {
    for (std::size_t level = 0; level < count; ++level)
      positions.at.push_back(from + (to - from) * (static_cast<double>(level) + 0.5) / static_cast<double>(count));
    return positions;
  }
  const double least = axis.numbers.front();
  const double most = axis.numbers.back();
  positions.is_logarithmic = least > 0 && most / least >= logarithmic_from;
  const auto scaled = [&](double number) { return positions.is_logarithmic ? std::log(number) : number; };
  const double inset = 0.04 * (to - from);
  for (const double number : axis.numbers)
    positions.at.push_back(from + inset +
                           (to - from - 2 * inset) * (scaled(number) - scaled(least)) / (scaled(most) - scaled(least)));
  return positions;
}

Box draw_panel(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const std::string& title,
               double left_room) {
  canvas.text(box.x, box.y + style.text, cut(title, box.width, 1.1 * style.text), "class=\"lane\"");
  const double above = 1.8 * style.line;
  const double below = 2.4 * style.line;
  return {box.x + left_room, box.y + above, box.width - left_room, box.height - above - below};
}

void draw_levels_below(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, const SweepAxis& axis,
                       const std::vector<double>& at) {
  const double bottom = plot.y + plot.height;
  canvas.line(plot.x, bottom, plot.x + plot.width, bottom, "class=\"axis\"");
  const double most_width = plot.width / static_cast<double>(std::min<std::size_t>(at.size(), 12)) - 4;
  double free_from = -1e9;
  for (std::size_t level = 0; level < at.size(); ++level) {
    const std::string name = cut(level_name(axis.levels[level]), std::max(most_width, 30.0), style.small);
    const double half = text_width(name, style.small) / 2;
    canvas.line(at[level], bottom, at[level], bottom + tick_length, "class=\"axis\"");
    if (at[level] - half < free_from)
      continue;
    canvas.text(at[level], bottom + tick_length + style.small, name, "class=\"small middle\"");
    free_from = at[level] + half + 4;
  }
  canvas.text(plot.x + plot.width / 2, bottom + tick_length + style.small + style.line,
              cut(axis.label, plot.width, style.text), "class=\"middle\"");
}

void draw_scale_left(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, double most,
                     const std::string& label) {
  for (const Tick& tick : ticks(0, most, 5)) {
    const double y = plot.y + plot.height * (1 - tick.time / most);
    canvas.line(plot.x, y, plot.x + plot.width, y, "class=\"grid\"");
    canvas.text(plot.x - tick_length, y + 0.35 * style.small, tick.label, "class=\"small end\"");
  }
  canvas.text(plot.x, plot.y - 0.4 * style.small, label, "class=\"small\"");
}

void draw_scale_below(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, double from, double to,
                      const std::string& label) {
  const double bottom = plot.y + plot.height;
  canvas.line(plot.x, bottom, plot.x + plot.width, bottom, "class=\"axis\"");
  for (const Tick& tick : ticks(from, to, 5)) {
    const double x = plot.x + plot.width * (tick.time - from) / (to - from);
    canvas.line(x, plot.y, x, bottom + tick_length, "class=\"grid\"");
    canvas.text(x, bottom + tick_length + style.small, tick.label, "class=\"small middle\"");
  }
  canvas.text(plot.x + plot.width / 2, bottom + tick_length + style.small + style.line, label, "class=\"middle\"");
}

} // namespace moesim::analysis
