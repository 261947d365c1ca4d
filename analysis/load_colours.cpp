#include "analysis/load_colours.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr std::array<std::array<double, 3>, 5> stops{
    {{44, 123, 182}, {171, 217, 233}, {255, 255, 191}, {253, 174, 97}, {215, 25, 28}}};

} // namespace

std::size_t LoadColours::colour_of(double load) const {
  double place = load / 2; // 0 to 1, the mean in the middle
  if (load > 1)
    place = most_ > 1 ? 0.5 + 0.5 * std::log(load) / std::log(most_) : 0.5;
  return static_cast<std::size_t>(std::lround(std::clamp(place, 0.0, 1.0) * static_cast<double>(count - 1)));
}

std::string LoadColours::text_of(std::size_t colour) {
  const double place = static_cast<double>(colour) / static_cast<double>(count - 1) * (stops.size() - 1);
  const std::size_t stop = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double share = place - static_cast<double>(stop);
  std::string text = "#";
  for (std::size_t i = 0; i < 3; ++i)
    text += fmt::format("{:02X}",
                        static_cast<int>(std::lround(stops[stop][i] + (stops[stop + 1][i] - stops[stop][i]) * share)));
  return text;
}

void LoadColours::draw_legend(SvgCanvas& canvas, double x, double y, double width, const PictureStyle& style) const {
  const double cell = width / static_cast<double>(count);
  const double height = style.text;
  for (std::size_t colour = 0; colour < count; ++colour)
    canvas.rectangle({x + cell * static_cast<double>(colour), y, cell, height},
                     fmt::format("fill=\"{}\"", text_of(colour)));
  const auto label = [&](double place, const std::string& text) {
    canvas.text(x + width * place, y + height + style.small + 2, text, "class=\"small middle\"");
  };
  label(0, "0");
  label(0.5, "mean");
  if (most_ > 1)
    label(1, fmt::format("{:.3g} x", most_));
}

void CellPainter::add(double x, double y, double width, double height, std::size_t colour) {
  if (!cells_.empty()) {
    Cell& last = cells_.back();
    if (last.colour == colour && last.box.y == y && std::abs(last.box.x + last.box.width - x) < 1e-6) {
      last.box.width += width;
      return;
    }
  }
  cells_.push_back({{x, y, width, height}, colour});
}

void CellPainter::draw(SvgCanvas& canvas) const {
  std::array<std::string, LoadColours::count> paths;
  for (const auto& [box, colour] : cells_)
    paths[colour] += fmt::format("M{} {}h{}v{}h-{}z", svg_number(box.x), svg_number(box.y), svg_number(box.width),
                                 svg_number(box.height), svg_number(box.width));
  for (std::size_t colour = 0; colour < paths.size(); ++colour)
    if (!paths[colour].empty())
      canvas.path(paths[colour], fmt::format("class=\"load\" fill=\"{}\" shape-rendering=\"crispEdges\"",
                                             LoadColours::text_of(colour)));
}

} // namespace moesim::analysis
