#include "analysis/residual_svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "analysis/chart_axes.hpp"
#include "analysis/svg_canvas.hpp"
#include "analysis/svg_style.hpp"
#include "analysis/sweep_charts.hpp"

namespace moesim::analysis {
namespace {

constexpr double margin = 10;
constexpr double gap = 24;
constexpr double most_ratio = 8;
constexpr std::size_t most_groups = 7; // with a colour of their own
constexpr std::array<double, 7> grid{0.125, 0.25, 0.5, 1, 2, 4, 8};

using Label = std::string Residual::*;

// Names of groups, those with most residuals first.
std::vector<std::string> groups_of(const ResidualPicture& picture, Label label) {
  std::map<std::string, std::size_t> counts;
  for (const Residual& residual : picture.residuals)
    if (residual.size > 0)
      ++counts[residual.*label];
  std::vector<std::string> names;
  for (const auto& [name, count] : counts)
    names.push_back(name);
  std::ranges::stable_sort(names, [&](const auto& one, const auto& other) { return counts[one] > counts[other]; });
  return names;
}

// The decades around all sizes.
std::pair<double, double> decades(const ResidualPicture& picture) {
  double least = 1e300;
  double most = 0;
  for (const Residual& residual : picture.residuals)
    if (residual.size > 0) {
      least = std::min(least, residual.size);
      most = std::max(most, residual.size);
    }
  return {std::floor(std::log10(least)), std::max(std::ceil(std::log10(most)), std::floor(std::log10(least)) + 1)};
}

// One panel: places in its plot.
struct Plot {
  Box box;
  double from = 0; // decades
  double to = 1;

  [[nodiscard]] double x(double size) const { return box.x + box.width * (std::log10(size) - from) / (to - from); }
  [[nodiscard]] double y(double ratio) const {
    const double share = std::log(std::clamp(ratio, 1 / most_ratio, most_ratio)) / std::log(most_ratio);
    return box.y + box.height * (1 - share) / 2;
  }
};

void draw_axes(SvgCanvas& canvas, const Plot& plot, const PictureStyle& style, const std::string& label) {
  const double bottom = plot.box.y + plot.box.height;
  const double right = plot.box.x + plot.box.width;
  canvas.rectangle({plot.box.x, plot.y(1.2), plot.box.width, plot.y(0.8) - plot.y(1.2)}, "fill=\"#e8f2e8\"");
  for (const double ratio : grid) {
    canvas.line(plot.box.x, plot.y(ratio), right, plot.y(ratio), ratio == 1 ? "class=\"axis\"" : "class=\"grid\"");
    canvas.text(plot.box.x - 4, plot.y(ratio) + 0.35 * style.small, fmt::format("{}", ratio), "class=\"small end\"");
  }
  const double step = std::ceil((plot.to - plot.from) / 8);
  for (double decade = plot.from; decade <= plot.to; decade += step) {
    const double x = plot.box.x + plot.box.width * (decade - plot.from) / (plot.to - plot.from);
    canvas.line(x, plot.box.y, x, bottom, "class=\"grid\"");
    canvas.text(x, bottom + style.small + 4, fmt::format("1e{}", decade), "class=\"small middle\"");
  }
  canvas.text(plot.box.x + plot.box.width / 2, bottom + style.small + style.line + 4, label, "class=\"middle\"");
}

void draw_legend(SvgCanvas& canvas, const Plot& plot, const PictureStyle& style, std::vector<std::string> names) {
  if (names.size() > most_groups) {
    names.resize(most_groups);
    names.emplace_back("others");
  }
  double x = plot.box.x;
  for (std::size_t at = 0; at < names.size(); ++at) {
    const std::string name = level_name(names[at].substr(names[at].rfind('/') + 1)); // without its organisation
    const double width = 1.15 * text_width(name, style.small) + 22;
    if (x + width > plot.box.x + plot.box.width)
      break;
    canvas.rectangle({x, plot.box.y - style.small - 4, 8, 8},
                     fmt::format("fill=\"{}\"", at < most_groups ? series_colour(at) : "#999"));
    canvas.text(x + 11, plot.box.y - 5, name, "class=\"small\"");
    x += width;
  }
}

void draw_marks(SvgCanvas& canvas, const Plot& plot, const ResidualPicture& picture, Label label,
                const std::vector<std::string>& names) {
  for (const Residual& residual : picture.residuals) {
    if (residual.size <= 0)
      continue;
    const auto group = static_cast<std::size_t>(std::ranges::find(names, residual.*label) - names.begin());
    canvas.rectangle({plot.x(residual.size) - 2, plot.y(residual.ratio) - 2, 4, 4},
                     fmt::format("class=\"residual\" fill-opacity=\"0.6\" fill=\"{}\"",
                                 group < most_groups ? series_colour(group) : "#999"),
                     fmt::format("{} ({}, {}): {:.3g} {}, predicted {:.3g} times what was measured", residual.name,
                                 residual.hardware, residual.model, residual.size, picture.size_label, residual.ratio));
  }
}

void draw_chart(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const ResidualPicture& picture,
                const std::string& title, Label label) {
  Plot plot{draw_panel(canvas, box, style, title, 34)};
  std::tie(plot.from, plot.to) = decades(picture);
  const std::vector<std::string> names = groups_of(picture, label);
  draw_axes(canvas, plot, style, picture.size_label);
  draw_legend(canvas, plot, style, names);
  draw_marks(canvas, plot, picture, label, names);
}

} // namespace

std::string residual_svg(std::span<const ResidualPicture> pictures, double width) {
  const PictureStyle style(width);
  SvgCanvas body;
  double y = margin;
  const double panel_width = (style.width - 2 * margin - gap) / 2;
  for (const ResidualPicture& picture : pictures) {
    const bool is_empty = std::ranges::none_of(picture.residuals, [](const Residual& one) { return one.size > 0; });
    body.text(margin, y += style.title, picture.title, "class=\"title\"");
    y += style.line;
    if (is_empty) {
      body.text(margin, y, "nothing with a size was compared", "class=\"small\"");
    } else {
      const double height = 0.6 * panel_width;
      draw_chart(body, {margin, y, panel_width, height}, style, picture, "predicted / measured, by hardware",
                 &Residual::hardware);
      draw_chart(body, {margin + panel_width + gap, y, panel_width, height}, style, picture,
                 "predicted / measured, by model", &Residual::model);
      y += height;
    }
    y += gap;
  }
  SvgCanvas canvas;
  canvas.raw(style.definitions());
  canvas.rectangle({0, 0, style.width, y}, "fill=\"#fff\"");
  canvas.raw(body.body());
  return canvas.document(style.width, y);
}

std::string residual_page(std::span<const ResidualPicture> pictures) {
  constexpr double page_width = 1200;
  const std::string picture = residual_svg(pictures, page_width);
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Predicted against measured</title>"
         "<style>body{margin:0;font-family:sans-serif}svg{max-width:100%;height:auto}"
         ".residual:hover{stroke:#000;fill-opacity:1}</style></head>\n<body>" +
         picture.substr(picture.find("<svg")) + "</body></html>\n";
}

} // namespace moesim::analysis
