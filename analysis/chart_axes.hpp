// The frame of a chart: where numbers and levels stand, and the lines and words at its edges.
#pragma once

#include <string>
#include <vector>

#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"
#include "analysis/sweep_axes.hpp"

namespace moesim::analysis {

// Positions along an edge of a chart, in pixels.
struct LevelPositions {
  std::vector<double> at; // of each level
  bool is_logarithmic = false;
};

// Numbers stand where they are, on a logarithmic scale where they span a factor of 8 or more; words at equal distances.
[[nodiscard]] LevelPositions level_positions(const SweepAxis& axis, double from, double to);

// The plot inside a panel: its title is written, room is left for numbers on the left and words below.
[[nodiscard]] Box draw_panel(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const std::string& title,
                             double left_room);

// Words under the plot at the levels of `axis`, as many as there is room for, and its name.
void draw_levels_below(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, const SweepAxis& axis,
                       const std::vector<double>& at);

// Grid lines and numbers at the left of the plot for values 0 .. `most`, and what they are.
void draw_scale_left(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, double most,
                     const std::string& label);
// The same below the plot.
void draw_scale_below(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, double from, double to,
                      const std::string& label);

// How a level is called: an empty one is what points leave as the scenario has it.
[[nodiscard]] std::string level_name(const std::string& level);

} // namespace moesim::analysis
