// The charts of a sweep's picture: each draws into a box of a canvas.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"
#include "analysis/sweep_axes.hpp"

namespace moesim::analysis {

// Numbers of a figure as a chart writes them: divided by `divisor`, in `unit`.
struct ChartScale {
  double divisor = 1;
  std::string unit; // "M tokens/s", "GiB", "%", ""

  [[nodiscard]] std::string text(double value) const;             // "4.58"
  [[nodiscard]] std::string label(const std::string& name) const; // "throughput (M tokens/s)"
};
// That suits numbers up to `most`.
[[nodiscard]] ChartScale chart_scale(const std::string& figure, double most);

// The colour of the i-th line or group; later ones repeat, and lines are dashed then.
[[nodiscard]] std::string_view series_colour(std::size_t index);

// Where a chart is drawn.
struct ChartPlace {
  SvgCanvas& canvas;
  Box box;
  const PictureStyle& style;
};

// "point 17: a=1 b=2"
[[nodiscard]] std::string point_name(const record::SweepTable& table, std::size_t point);
// The page shows what there is to say about the point of a mark that is clicked.
[[nodiscard]] std::string point_attribute(std::size_t point);

// The best point of each pair of levels, {of the other axis, of x}; without another axis its level is 0.
using BestOfLevels = std::map<std::pair<std::size_t, std::size_t>, std::size_t>;
[[nodiscard]] BestOfLevels best_of_levels(const record::SweepTable& table, const SweepFigure& figure,
                                          const SweepAxis& x, const SweepAxis* other);

// A mark at the best point of each level of `x`, a line for each level of `series` (all together without one).
void draw_lines(const ChartPlace& place, const record::SweepTable& table, const SweepFigure& figure, const SweepAxis& x,
                const SweepAxis* series);

// A cell for each pair of levels, as dark as its best point is good.
void draw_heat_map(const ChartPlace& place, const record::SweepTable& table, const SweepFigure& figure,
                   const SweepAxis& x, const SweepAxis& y);

// Memory against throughput, the Pareto front marked; colours tell numbers of GPUs.
void draw_pareto(const ChartPlace& place, const record::SweepTable& table);

// A bar for each axis: the typical ratio, and a line up to the largest.
void draw_sensitivities(const ChartPlace& place, const std::vector<Sensitivity>& sensitivities);

} // namespace moesim::analysis
