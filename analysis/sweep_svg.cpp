#include "analysis/sweep_svg.hpp"

#include "analysis/sweep_charts.hpp"
#include "analysis/text_flow.hpp"

#include <functional>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"

namespace moesim::analysis {
namespace {

constexpr double margin = 10;
constexpr double gap = 24;

using Panel = std::function<void(SvgCanvas&, const Box&)>;

std::vector<Panel> panels_of(const record::SweepTable& table, const SweepFigure& figure, const PictureStyle& style,
                             const std::vector<SweepAxis>& axes) {
  std::vector<Panel> panels;
  const SweepAxis* second = axes.size() > 1 ? &axes[1] : nullptr;
  if (!axes.empty())
    panels.emplace_back([&, second](SvgCanvas& canvas, const Box& box) {
      draw_lines({canvas, box, style}, table, figure, axes.front(), second);
    });
  if (second != nullptr)
    panels.emplace_back([&, second](SvgCanvas& canvas, const Box& box) {
      draw_heat_map({canvas, box, style}, table, figure, axes.front(), *second);
    });
  if (!pareto_front(table).empty())
    panels.emplace_back([&](SvgCanvas& canvas, const Box& box) { draw_pareto({canvas, box, style}, table); });
  if (!axes.empty())
    panels.emplace_back([&](SvgCanvas& canvas, const Box& box) {
      draw_sensitivities({canvas, box, style}, sensitivities(table, figure));
    });
  return panels;
}

std::vector<std::string> heading_of(const record::SweepTable& table, const SweepFigure& figure,
                                    const std::vector<SweepAxis>& axes) {
  const std::vector<std::size_t> points = comparable_points(table);
  const std::size_t best = best_of(table, figure, points);
  const double value = (*table.figure(figure.name))[best];
  const ChartScale scale = chart_scale(figure.name, value);
  std::vector<std::string> words{
      fmt::format("{} of {} points fit and are compared", points.size(), table.size()),
      fmt::format("best {}: {} {} at point {}", figure.label, scale.text(value), scale.unit, best)};
  for (std::size_t field = 0; field < table.fields.size(); ++field)
    if (!table.settings[field][best].empty())
      words.push_back(fmt::format("{} {}", table.fields[field], table.settings[field][best]));
  if (axes.size() > 2)
    words.emplace_back("marks and cells are the best over all other axes");
  return words;
}

} // namespace

std::string sweep_svg(const record::SweepTable& table, const SweepFigure& figure, double width) {
  if (comparable_points(table).empty())
    throw InputError({table.name}, "",
                     "no point of this sweep was simulated and fits into memory; expected at least one");
  const PictureStyle style(width);
  const std::vector<SweepAxis> axes = sweep_axes(table);
  SvgCanvas body;
  double y = margin + style.title;
  body.text(margin, y, lines_of({table.name}, "", style.width - 2 * margin, 1.1 * style.title).front(),
            "class=\"title\"");
  for (const std::string& line :
       lines_of(heading_of(table, figure, axes), " · ", style.width - 2 * margin, style.small))
    body.text(margin, y += style.line, line, "class=\"small\"");
  y += style.line;

  const std::vector<Panel> panels = panels_of(table, figure, style, axes);
  const std::size_t columns = style.is_narrow() || panels.size() == 1 ? 1 : 2;
  const double panel_width =
      (style.width - 2 * margin - gap * static_cast<double>(columns - 1)) / static_cast<double>(columns);
  const double panel_height = 0.58 * std::min(panel_width, 620.0) + 2 * style.line;
  for (std::size_t at = 0; at < panels.size(); ++at) {
    const double x = margin + static_cast<double>(at % columns) * (panel_width + gap);
    panels[at](body, {x, y, panel_width, panel_height});
    if (at % columns == columns - 1 || at + 1 == panels.size())
      y += panel_height + gap / 2;
  }
  SvgCanvas canvas;
  canvas.raw(style.definitions());
  canvas.rectangle({0, 0, style.width, y}, "fill=\"#fff\"");
  canvas.raw(body.body());
  return canvas.document(style.width, y);
}

} // namespace moesim::analysis
