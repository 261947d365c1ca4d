#include "analysis/chart_axes.hpp"
#include "analysis/sweep_charts.hpp"
#include "analysis/text_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr double most_for_names = 0.35; // of a chart's width

// White to blue.
std::string heat_colour(double share) {
  const std::array<double, 3> light{240, 246, 250};
  const std::array<double, 3> dark{0, 90, 150};
  std::string colour = "#";
  for (std::size_t i = 0; i < 3; ++i)
    colour += fmt::format("{:02X}", static_cast<int>(std::lround(light[i] + (dark[i] - light[i]) * share)));
  return colour;
}

// Where the cells of a heat map are: columns from the left, rows from the bottom.
struct Grid {
  Box plot;
  double width = 0; // of a cell
  double height = 0;

  Grid(const Box& box, std::size_t columns, std::size_t rows)
      : plot(box), width(box.width / static_cast<double>(columns)), height(box.height / static_cast<double>(rows)) {}

  [[nodiscard]] double middle_of_column(std::size_t column) const {
    return plot.x + width * (static_cast<double>(column) + 0.5);
  }
  [[nodiscard]] double middle_of_row(std::size_t row) const {
    return plot.y + plot.height - height * (static_cast<double>(row) + 0.5);
  }
};

void draw_row_names(const ChartPlace& place, const Grid& grid, const SweepAxis& y) {
  const double size = place.style.small;
  double free_below = grid.plot.y + grid.plot.height + size;
  for (std::size_t row = 0; row < y.levels.size(); ++row) {
    const double middle = grid.middle_of_row(row);
    if (middle + size > free_below)
      continue;
    place.canvas.text(grid.plot.x - 5, middle + 0.35 * size,
                      lines_of({level_name(y.levels[row])}, "", most_for_names * place.box.width, size).front(),
                      "class=\"small end\"");
    free_below = middle;
  }
}

void draw_cells(const ChartPlace& place, const Grid& grid, const record::SweepTable& table, const SweepFigure& figure,
                const BestOfLevels& best) {
  const std::vector<double>& values = *table.figure(figure.name);
  const auto value_of = [&](const auto& entry) { return values[entry.second]; };
  const double least = value_of(*std::ranges::min_element(best, {}, value_of));
  const double most = value_of(*std::ranges::max_element(best, {}, value_of));
  const ChartScale scale = chart_scale(figure.name, most);
  const double size = place.style.small;
  for (const auto& [levels, point] : best) {
    const double share = most > least ? (values[point] - least) / (most - least) : 0.5;
    const double x = grid.middle_of_column(levels.second);
    const double y = grid.middle_of_row(levels.first);
    const std::string text = scale.text(values[point]);
    place.canvas.rectangle(
        {x - grid.width / 2, y - grid.height / 2, grid.width, grid.height},
        fmt::format("class=\"cell\" fill=\"{}\" stroke=\"#fff\"{}", heat_colour(share), point_attribute(point)),
        fmt::format("{}: {} {}", point_name(table, point), text, scale.unit));
    if (text_width(text, size) < grid.width && size < grid.height)
      place.canvas.text(x, y + 0.35 * size, text,
                        fmt::format("class=\"small middle\" style=\"fill:{}\"", share > 0.5 ? "#fff" : "#222"));
  }
}

} // namespace

void draw_heat_map(const ChartPlace& place, const record::SweepTable& table, const SweepFigure& figure,
                   const SweepAxis& x, const SweepAxis& y) {
  const BestOfLevels best = best_of_levels(table, figure, x, &y);
  double names = 0;
  for (const std::string& level : y.levels)
    names = std::max(names, text_width(level_name(level), place.style.small));
  double most = 0;
  for (const auto& [levels, point] : best)
    most = std::max(most, (*table.figure(figure.name))[point]);
  const Box plot = draw_panel(place.canvas, place.box, place.style,
                              fmt::format("{}, by {}", chart_scale(figure.name, most).label(figure.label), y.label),
                              std::min(names, most_for_names * place.box.width) + 8);
  place.canvas.rectangle(plot, "fill=\"url(#idle)\"");
  const Grid grid(plot, x.levels.size(), y.levels.size());
  draw_cells(place, grid, table, figure, best);
  std::vector<double> middles(x.levels.size());
  for (std::size_t column = 0; column < middles.size(); ++column)
    middles[column] = grid.middle_of_column(column);
  draw_levels_below(place.canvas, plot, place.style, x, middles);
  draw_row_names(place, grid, y);
}

} // namespace moesim::analysis
