#include "analysis/sweep_charts.hpp"

#include "analysis/chart_axes.hpp"
#include "analysis/text_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "simulator/base/format.hpp"

namespace moesim::analysis {
namespace {

// Okabe and Ito, without the yellow that white paper swallows, and grey.
constexpr std::array<std::string_view, 7> colours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                  "#E69F00", "#56B4E9", "#555555"};
constexpr double headroom = 1.06;        // above the largest value
constexpr std::size_t most_lines = 10;   // that a chart can tell apart
constexpr std::size_t most_marks = 2000; // of points that others beat

double largest(const std::vector<double>& values, const std::vector<std::size_t>& points) {
  double most = 0;
  for (const std::size_t point : points)
    if (std::isfinite(values[point]))
      most = std::max(most, values[point]);
  return most > 0 ? most : 1;
}

// Entries of a legend at the right end of the line above a plot, as many as fit.
void draw_legend(SvgCanvas& canvas, const Box& plot, const PictureStyle& style, const std::vector<std::string>& names) {
  constexpr double swatch = 14;
  double y = plot.y + style.small;
  double widest = 0;
  for (const std::string& name : names)
    widest = std::max(widest, text_width(name, style.small));
  const double x = plot.x + plot.width + 10;
  for (std::size_t at = 0; at < names.size(); ++at, y += style.line) {
    canvas.line(x, y - 0.35 * style.small, x + swatch, y - 0.35 * style.small,
                fmt::format("stroke=\"{}\" stroke-width=\"3\"{}", series_colour(at),
                            at >= colours.size() ? " stroke-dasharray=\"4 2\"" : ""));
    canvas.text(x + swatch + 4, y, names[at], "class=\"small\"");
  }
}

double legend_width(const std::vector<std::string>& names, const PictureStyle& style) {
  double widest = 0;
  for (const std::string& name : names)
    widest = std::max(widest, text_width(name, style.small));
  return names.empty() ? 0 : widest + 34;
}

void draw_mark(SvgCanvas& canvas, double x, double y, double radius, const std::string& attributes,
               std::string_view tooltip) {
  canvas.raw(fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}><title>{}</title></circle>\n", svg_number(x),
                         svg_number(y), svg_number(radius), attributes, xml_escaped(tooltip)));
}

// A point on a line.
struct LineMark {
  std::size_t series = 0;
  std::size_t point = 0;
  double x = 0;
  double y = 0;
  std::string tooltip;
};

// Marks of a series follow each other from left to right.
void draw_marked_lines(SvgCanvas& canvas, const std::vector<LineMark>& marks) {
  std::map<std::size_t, std::string> paths;
  for (const LineMark& mark : marks) {
    std::string& path = paths[mark.series];
    path += fmt::format("{}{},{}", path.empty() ? "M" : "L", svg_number(mark.x), svg_number(mark.y));
  }
  for (const auto& [series, path] : paths)
    canvas.path(path, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"{}", series_colour(series),
                                  series >= colours.size() ? " stroke-dasharray=\"5 3\"" : ""));
  for (const LineMark& mark : marks)
    draw_mark(canvas, mark.x, mark.y, 3,
              fmt::format("class=\"mark\" fill=\"{}\"{}", series_colour(mark.series), point_attribute(mark.point)),
              mark.tooltip);
}

} // namespace

std::string ChartScale::text(double value) const {
  return fmt::format("{:.3g}", value / divisor);
}

std::string ChartScale::label(const std::string& name) const {
  return unit.empty() ? name : fmt::format("{} ({})", name, unit);
}

ChartScale chart_scale(const std::string& figure, double most) {
  const std::string unit = record::figure_unit(figure);
  if (unit == "bytes")
    return most < 1 << 30 ? ChartScale{1 << 20, "MiB"} : ChartScale{1 << 30, "GiB"};
  if (unit == "s")
    return most < 1e-3 ? ChartScale{1e-6, "us"} : most < 1 ? ChartScale{1e-3, "ms"} : ChartScale{1, "s"};
  if (unit == "tokens/s")
    return most < 1e4 ? ChartScale{1, unit} : most < 1e6 ? ChartScale{1e3, "k " + unit} : ChartScale{1e6, "M " + unit};
  if (figure.ends_with("fraction") || figure == "mfu")
    return {0.01, "%"};
  return {1, unit == "1" ? "" : unit};
}

std::string_view series_colour(std::size_t index) {
  return colours[index % colours.size()];
}

std::string point_name(const record::SweepTable& table, std::size_t point) {
  std::string text = fmt::format("point {}:", point);
  for (std::size_t field = 0; field < table.fields.size(); ++field)
    if (!table.settings[field][point].empty())
      text += fmt::format(" {}={}", table.fields[field], table.settings[field][point]);
  return text;
}

std::string point_attribute(std::size_t point) {
  return fmt::format(" data-point=\"{}\"", point);
}

BestOfLevels best_of_levels(const record::SweepTable& table, const SweepFigure& figure, const SweepAxis& x,
                            const SweepAxis* other) {
  const std::vector<double>& values = *table.figure(figure.name);
  BestOfLevels best;
  for (const std::size_t point : comparable_points(table)) {
    if (!std::isfinite(values[point]))
      continue;
    const std::pair levels{other == nullptr ? 0 : other->level[point], x.level[point]};
    const auto [found, is_new] = best.try_emplace(levels, point);
    if (!is_new && is_better(figure, values[point], values[found->second]))
      found->second = point;
  }
  return best;
}

void draw_lines(const ChartPlace& place, const record::SweepTable& table, const SweepFigure& figure, const SweepAxis& x,
                const SweepAxis* series) {
  const auto& [canvas, box, style] = place;
  const std::vector<double>& values = *table.figure(figure.name);
  const ChartScale scale = chart_scale(figure.name, largest(values, comparable_points(table)));
  const double most = headroom * largest(values, comparable_points(table)) / scale.divisor;
  if (series != nullptr && series->levels.size() > most_lines)
    series = nullptr;
  std::vector<std::string> names;
  if (series != nullptr)
    std::ranges::transform(series->levels, std::back_inserter(names), level_name);
  Box inner = box;
  inner.width -= legend_width(names, style);
  const Box plot = draw_panel(canvas, inner, style,
                              fmt::format("{}{}", figure.label, series == nullptr ? "" : ", by " + series->label), 40);
  draw_scale_left(canvas, plot, style, most, scale.unit);
  const LevelPositions positions = level_positions(x, plot.x, plot.x + plot.width);
  draw_levels_below(canvas, plot, style, x, positions.at);
  draw_legend(canvas, plot, style, names);
  std::vector<LineMark> marks;
  for (const auto& [levels, point] : best_of_levels(table, figure, x, series))
    marks.push_back({levels.first, point, positions.at[levels.second],
                     plot.y + plot.height * (1 - values[point] / scale.divisor / most),
                     fmt::format("{}: {} {}", point_name(table, point), scale.text(values[point]), scale.unit)});
  draw_marked_lines(canvas, marks);
}

void draw_pareto(const ChartPlace& place, const record::SweepTable& table) {
  SvgCanvas& canvas = place.canvas; // a lambda of clang 14 takes no structured binding
  const PictureStyle& style = place.style;
  const std::vector<double>& rate = *table.figure("tokens_per_s");
  const std::vector<double>& memory = *table.figure("peak_memory_bytes");
  const std::vector<double>& gpus = *table.figure("world_size");
  const std::vector<std::size_t> points = comparable_points(table);
  const std::vector<std::size_t> front = pareto_front(table);
  std::set<double> sizes;
  for (const std::size_t point : front)
    sizes.insert(gpus[point]);
  std::vector<std::string> names;
  for (const double size : sizes)
    names.push_back(fmt::format("{} GPUs", format_count(std::llround(size))));
  if (names.size() == 1 || names.size() > most_lines)
    names.clear();
  const ChartScale up = chart_scale("tokens_per_s", largest(rate, points));
  const ChartScale along = chart_scale("peak_memory_bytes", largest(memory, points));
  const double most_up = headroom * largest(rate, points) / up.divisor;
  const double most_along = headroom * largest(memory, points) / along.divisor;
  Box inner = place.box;
  inner.width -= legend_width(names, style);
  const Box plot = draw_panel(canvas, inner, style, "Pareto front of throughput and memory", 40);
  draw_scale_left(canvas, plot, style, most_up, up.unit);
  draw_scale_below(canvas, plot, style, 0, most_along, along.label("peak memory of a GPU"));
  draw_legend(canvas, plot, style, names);
  const auto mark = [&](std::size_t point, double radius, const std::string& attributes) {
    draw_mark(canvas, plot.x + plot.width * memory[point] / along.divisor / most_along,
              plot.y + plot.height * (1 - rate[point] / up.divisor / most_up), radius,
              attributes + point_attribute(point),
              fmt::format("{}: {} {}, {} {}, {} GPUs", point_name(table, point), up.text(rate[point]), up.unit,
                          along.text(memory[point]), along.unit, gpus[point]));
  };
  const std::size_t stride = points.size() / most_marks + 1;
  for (std::size_t at = 0; at < points.size(); at += stride)
    mark(points[at], 2, "class=\"beaten\" fill=\"#BBBBBB\"");
  for (const std::size_t point : front)
    mark(point, 4,
         fmt::format("class=\"front\" fill=\"{}\" stroke=\"#222\" stroke-width=\".8\"",
                     series_colour(static_cast<std::size_t>(std::distance(sizes.begin(), sizes.find(gpus[point]))))));
}

void draw_sensitivities(const ChartPlace& place, const std::vector<Sensitivity>& sensitivities) {
  const auto& [canvas, box, style] = place;
  constexpr std::size_t most_bars = 10;
  const std::size_t count = std::min(sensitivities.size(), most_bars);
  double names = 0;
  double most = 1;
  for (std::size_t at = 0; at < count; ++at) {
    names = std::max(names, text_width(sensitivities[at].axis, style.small));
    most = std::max(most, sensitivities[at].largest_ratio);
  }
  const double room = std::min(names, 0.5 * box.width) + 8;
  const Box plot = draw_panel(canvas, box, style, "sensitivity to each field alone", room);
  const double end = 1 + headroom * std::max(most - 1, 0.01);
  draw_scale_below(canvas, plot, style, 1, end, "best over worst (line: at most)");
  const double step = plot.height / static_cast<double>(std::max<std::size_t>(count, 4));
  const auto x_of = [&](double ratio) { return plot.x + plot.width * (ratio - 1) / (end - 1); };
  for (std::size_t at = 0; at < count; ++at) {
    const Sensitivity& each = sensitivities[at];
    const double y = plot.y + step * (static_cast<double>(at) + 0.5);
    canvas.text(plot.x - 5, y + 0.35 * style.small, lines_of({each.axis}, "", room - 8, style.small).front(),
                "class=\"small end\"");
    canvas.line(x_of(1), y, x_of(each.largest_ratio), y, "stroke=\"#555\" stroke-width=\"1.5\"");
    canvas.rectangle(
        {x_of(1), y - 0.3 * step, x_of(each.typical_ratio) - x_of(1), 0.6 * step}, "class=\"bar\" fill=\"#0072B2\"",
        fmt::format("{}: {:.4g} x typically, {:.4g} x at most", each.axis, each.typical_ratio, each.largest_ratio));
  }
}

} // namespace moesim::analysis
