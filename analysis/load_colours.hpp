// Colours for loads relative to their mean, in pictures of many cells.
#pragma once

#include <string>
#include <vector>

#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"

namespace moesim::analysis {

// From blue (0) over pale yellow (the mean, 1) to red (`most`), logarithmic above the mean. The colours can be told
// apart by those who do not see red and green alike (Brewer's RdYlBu).
class LoadColours {
public:
  explicit LoadColours(double most) : most_(most) {}

  // Of so many colours; the one of the mean is the middle one.
  static constexpr std::size_t count = 33;
  [[nodiscard]] std::size_t colour_of(double load) const;
  [[nodiscard]] static std::string text_of(std::size_t colour); // "#ABD9E9"

  // A bar of all colours with the loads that they stand for, as wide as `width`.
  void draw_legend(SvgCanvas& canvas, double x, double y, double width, const PictureStyle& style) const;

private:
  double most_; // at least 1
};

// Cells of equal height in rows; neighbours of the same colour are joined, and a colour is one element.
class CellPainter {
public:
  void add(double x, double y, double width, double height, std::size_t colour);
  void draw(SvgCanvas& canvas) const;

private:
  struct Cell {
    Box box;
    std::size_t colour = 0;
  };
  std::vector<Cell> cells_;
};

} // namespace moesim::analysis
