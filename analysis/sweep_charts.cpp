#include "analysis/sweep_charts.hpp"

#include "analysis/chart_axes.hpp"
#include "analysis/text_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
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

// The page shows what there is to say about the point of a mark that is clicked.
std::string point_attribute(std::size_t point) {
  return fmt::format(" data-point=\"{}\"", point);
}

void draw_mark(SvgCanvas& canvas, double x, double y, double radius, const std::string& attributes,
               std::string_view tooltip) {
  canvas.raw(fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}><title>{}</title></circle>\n", svg_number(x),
                         svg_number(y), svg_number(radius), attributes, xml_escaped(tooltip)));
}

// "point 17: a=1 b=2"
std::string point_name(const record::SweepTable& table, std::size_t point) {
  std::string text = fmt::format("point {}:", point);
  for (std::size_t field = 0; field < table.fields.size(); ++field)
    if (!table.settings[field][point].empty())
      text += fmt::format(" {}={}", table.fields[field], table.settings[field][point]);
  return text;
}

// The best point of each pair of levels; without a second axis its level is 0.
std::map<std::pair<std::size_t, std::size_t>, std::size_t>
best_of_levels(const record::SweepTable& table, const SweepFigure& figure, const SweepAxis& x, const SweepAxis* other) {
  const std::vector<double>& values = *table.figure(figure.name);
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> best;
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

// White to blue.
std::string heat_colour(double share) {
  const std::array<double, 3> light{240, 246, 250};
  const std::array<double, 3> dark{0, 90, 150};
  std::string colour = "#";
  for (std::size_t i = 0; i < 3; ++i)
    colour += fmt::format("{:02X}", static_cast<int>(std::lround(light[i] + (dark[i] - light[i]) * share)));
  return colour;
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

void draw_lines(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const record::SweepTable& table,
                const SweepFigure& figure, const SweepAxis& x, const SweepAxis* series) {
  const std::vector<double>& values = *table.figure(figure.name);
  const ChartScale scale = chart_scale(figure.name, largest(values, comparable_points(table)));
  const double most = headroom * largest(values, comparable_points(table)) / scale.divisor;
  if (series != nullptr && series->levels.size() > most_lines)
    series = nullptr;
  std::vector<std::string> names;
  for (std::size_t level = 0; series != nullptr && level < series->levels.size(); ++level)
    names.push_back(level_name(series->levels[level]));
  Box inner = box;
  inner.width -= legend_width(names, style);
  const Box plot = draw_panel(canvas, inner, style,
                              fmt::format("{}{}", figure.label, series == nullptr ? "" : ", by " + series->label), 40);
  draw_scale_left(canvas, plot, style, most, scale.unit);
  const LevelPositions positions = level_positions(x, plot.x, plot.x + plot.width);
  draw_levels_below(canvas, plot, style, x, positions.at);
  draw_legend(canvas, plot, style, names);
  std::map<std::size_t, std::string> paths;
  const auto best = best_of_levels(table, figure, x, series);
  const auto y_of = [&](std::size_t point) {
    return plot.y + plot.height * (1 - values[point] / scale.divisor / most);
  };
  for (const auto& [levels, point] : best) {
    std::string& path = paths[levels.first];
    path += fmt::format("{}{},{}", path.empty() ? "M" : "L", svg_number(positions.at[levels.second]),
                        svg_number(y_of(point)));
  }
  for (const auto& [level, path] : paths)
    canvas.path(path, fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"{}", series_colour(level),
                                  level >= colours.size() ? " stroke-dasharray=\"5 3\"" : ""));
  for (const auto& [levels, point] : best)
    draw_mark(canvas, positions.at[levels.second], y_of(point), 3,
              fmt::format("class=\"mark\" fill=\"{}\"{}", series_colour(levels.first), point_attribute(point)),
              fmt::format("{}: {} {}", point_name(table, point), scale.text(values[point]), scale.unit));
}

void draw_heat_map(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const record::SweepTable& table,
                   const SweepFigure& figure, const SweepAxis& x, const SweepAxis& y) {
  const std::vector<double>& values = *table.figure(figure.name);
  const ChartScale scale = chart_scale(figure.name, largest(values, comparable_points(table)));
  double names = 0;
  for (const std::string& level : y.levels)
    names = std::max(names, text_width(level_name(level), style.small));
  const Box plot = draw_panel(canvas, box, style, fmt::format("{}, by {}", scale.label(figure.label), y.label),
                              std::min(names, 0.35 * box.width) + 8);
  const double width = plot.width / static_cast<double>(x.levels.size());
  const double height = plot.height / static_cast<double>(y.levels.size());
  canvas.rectangle(plot, "fill=\"url(#idle)\"");
  const auto best = best_of_levels(table, figure, x, &y);
  double least = values[best.begin()->second];
  double most = least;
  for (const auto& [levels, point] : best) {
    least = std::min(least, values[point]);
    most = std::max(most, values[point]);
  }
  for (const auto& [levels, point] : best) {
    const double share = most > least ? (values[point] - least) / (most - least) : 0.5;
    const Box cell{plot.x + width * static_cast<double>(levels.second),
                   plot.y + height * static_cast<double>(y.levels.size() - 1 - levels.first), width, height};
    const std::string text = scale.text(values[point]);
    canvas.rectangle(
        cell, fmt::format("class=\"cell\" fill=\"{}\" stroke=\"#fff\"{}", heat_colour(share), point_attribute(point)),
        fmt::format("{}: {} {}", point_name(table, point), text, scale.unit));
    if (text_width(text, style.small) < width && style.small < height)
      canvas.text(cell.x + width / 2, cell.y + height / 2 + 0.35 * style.small, text,
                  fmt::format("class=\"small middle\" style=\"fill:{}\"", share > 0.5 ? "#fff" : "#222"));
  }
  std::vector<double> middles;
  for (std::size_t level = 0; level < x.levels.size(); ++level)
    middles.push_back(plot.x + width * (static_cast<double>(level) + 0.5));
  draw_levels_below(canvas, plot, style, x, middles);
  double free_below = 1e9;
  for (std::size_t level = 0; level < y.levels.size(); ++level) {
    const double middle = plot.y + height * (static_cast<double>(y.levels.size() - level) - 0.5);
    if (middle > free_below)
      continue;
    canvas.text(plot.x - 5, middle + 0.35 * style.small,
                lines_of({level_name(y.levels[level])}, "", 0.35 * box.width, style.small).front(),
                "class=\"small end\"");
    free_below = middle - style.small;
  }
}

void draw_pareto(SvgCanvas& canvas, const Box& box, const PictureStyle& style, const record::SweepTable& table) {
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
  Box inner = box;
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

void draw_sensitivities(SvgCanvas& canvas, const Box& box, const PictureStyle& style,
                        const std::vector<Sensitivity>& sensitivities) {
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
