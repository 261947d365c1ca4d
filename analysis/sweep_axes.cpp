#include "analysis/sweep_axes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>

#include "simulator/base/check.hpp"

namespace moesim::analysis {
namespace {

// A value as a number; NaN when it is none.
double number_of(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return text.empty() || *end != '\0' ? std::nan("") : number;
}

SweepAxis axis_of(std::string name, const std::vector<std::string>& values, const std::vector<std::size_t>& points) {
  SweepAxis axis{std::move(name), "", {}, {}, std::vector<std::size_t>(values.size(), 0)};
  for (const std::size_t point : points)
    if (std::ranges::find(axis.levels, values[point]) == axis.levels.end())
      axis.levels.push_back(values[point]);
  const auto is_number = [](const std::string& level) { return !std::isnan(number_of(level)); };
  if (std::ranges::all_of(axis.levels, is_number)) {
    std::ranges::sort(axis.levels, {}, number_of);
    for (const std::string& level : axis.levels)
      axis.numbers.push_back(number_of(level));
  }
  for (const std::size_t point : points)
    axis.level[point] = static_cast<std::size_t>(std::ranges::find(axis.levels, values[point]) - axis.levels.begin());
  return axis;
}

// The fields of an axis without the sections that they are in.
std::string short_name(const std::string& name) {
  std::string text;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find(", ", at), name.size());
    const std::string field = name.substr(at, end - at);
    text += (text.empty() ? "" : ", ") + field.substr(field.rfind('.') + 1);
    at = end + 2;
  }
  return text;
}

void add_labels(std::vector<SweepAxis>& axes) {
  for (SweepAxis& axis : axes) {
    const std::string label = short_name(axis.name);
    const auto is_alike = [&](const SweepAxis& other) { return short_name(other.name) == label; };
    axis.label = std::ranges::count_if(axes, is_alike) == 1 ? label : axis.name;
  }
}

// Whether two axes are one: knowing the level of one tells that of the other.
bool vary_together(const SweepAxis& a, const SweepAxis& b, const std::vector<std::size_t>& points) {
  if (a.levels.size() != b.levels.size())
    return false;
  std::map<std::size_t, std::size_t> partner;
  return std::ranges::all_of(points, [&](std::size_t point) {
    return partner.try_emplace(a.level[point], b.level[point]).first->second == b.level[point];
  });
}

} // namespace

std::vector<SweepFigure> sweep_figures(const record::SweepTable& table) {
  const std::array<SweepFigure, 11> known{{{"tokens_per_s", "throughput", false},
                                           {"tokens_per_s_per_gpu", "throughput per GPU", false},
                                           {"iteration_time_s", "iteration time", true},
                                           {"mfu", "model FLOP/s utilisation", false},
                                           {"bubble_fraction", "bubble", true},
                                           {"exposed_communication_fraction", "exposed communication", true},
                                           {"peak_memory_bytes", "peak memory", true},
                                           {"ttft_s", "time to first token", true},
                                           {"tpot_s", "time per output token", true},
                                           {"output_tokens_per_s", "output throughput", false},
                                           {"load_max_over_mean", "load of the busiest expert over the mean", true}}};
  std::vector<SweepFigure> figures;
  std::ranges::copy_if(known, std::back_inserter(figures), [&](const SweepFigure& figure) {
    const std::vector<double>* values = table.figure(figure.name);
    const auto has_it = [&](std::size_t point) { return std::isfinite((*values)[point]); };
    return values != nullptr && std::ranges::any_of(comparable_points(table), has_it);
  });
  return figures;
}

std::vector<std::size_t> comparable_points(const record::SweepTable& table) {
  std::vector<std::size_t> points;
  const std::vector<double>* fits = table.figure("fits");
  for (std::size_t point = 0; fits != nullptr && point < table.size(); ++point)
    if ((*fits)[point] == 1)
      points.push_back(point);
  return points;
}

std::vector<SweepAxis> sweep_axes(const record::SweepTable& table) {
  const std::vector<std::size_t> points = comparable_points(table);
  std::vector<SweepAxis> axes;
  const auto add = [&](const std::string& name, const std::vector<std::string>& values) {
    SweepAxis axis = axis_of(name, values, points);
    if (axis.levels.size() < 2)
      return;
    for (SweepAxis& other : axes)
      if (vary_together(axis, other, points)) {
        other.name += ", " + name;
        return;
      }
    axes.push_back(std::move(axis));
  };
  for (std::size_t field = 0; field < table.fields.size(); ++field)
    add(table.fields[field], table.settings[field]);
  add("scenario", table.scenario);
  std::ranges::stable_sort(axes, [](const SweepAxis& a, const SweepAxis& b) {
    return std::tuple(a.numbers.empty(), b.levels.size()) < std::tuple(b.numbers.empty(), a.levels.size());
  });
  add_labels(axes);
  return axes;
}

bool is_better(const SweepFigure& figure, double value, double than) {
  return figure.is_better_low ? value < than : value > than;
}

std::size_t best_of(const record::SweepTable& table, const SweepFigure& figure,
                    const std::vector<std::size_t>& points) {
  const std::vector<double>& values = *table.figure(figure.name);
  std::optional<std::size_t> best;
  for (const std::size_t point : points)
    if (std::isfinite(values[point]) && (!best || is_better(figure, values[point], values[*best])))
      best = point;
  MOESIM_CHECK(best.has_value(), "a figure that is drawn is a figure of some point");
  return *best;
}

std::vector<Sensitivity> sensitivities(const record::SweepTable& table, const SweepFigure& figure) {
  const std::vector<SweepAxis> axes = sweep_axes(table);
  const std::vector<double>& values = *table.figure(figure.name);
  std::vector<Sensitivity> result;
  for (const SweepAxis& axis : axes) {
    std::map<std::vector<std::size_t>, std::vector<double>> groups; // by the levels of the other axes
    for (const std::size_t point : comparable_points(table)) {
      std::vector<std::size_t> others;
      for (const SweepAxis& other : axes)
        if (&other != &axis)
          others.push_back(other.level[point]);
      if (values[point] > 0)
        groups[others].push_back(values[point]);
    }
    double sum = 0;
    double count = 0;
    Sensitivity sensitivity{axis.label};
    for (const auto& [others, group] : groups) {
      if (group.size() < 2)
        continue;
      const auto [least, most] = std::ranges::minmax(group);
      sum += std::log(most / least);
      ++count;
      sensitivity.largest_ratio = std::max(sensitivity.largest_ratio, most / least);
    }
    sensitivity.typical_ratio = std::exp(count > 0 ? sum / count : 0);
    if (count > 0)
      result.push_back(sensitivity);
  }
  std::ranges::stable_sort(result, std::ranges::greater(), &Sensitivity::typical_ratio);
  return result;
}

std::vector<std::size_t> pareto_front(const record::SweepTable& table) {
  const std::vector<double>* rate = table.figure("tokens_per_s");
  const std::vector<double>* memory = table.figure("peak_memory_bytes");
  const std::vector<double>* gpus = table.figure("world_size");
  if (rate == nullptr || memory == nullptr || gpus == nullptr)
    return {};
  std::vector<std::size_t> points = comparable_points(table);
  std::ranges::stable_sort(points, [&](std::size_t a, std::size_t b) {
    return std::tuple((*memory)[a], (*gpus)[a], -(*rate)[a]) < std::tuple((*memory)[b], (*gpus)[b], -(*rate)[b]);
  });
  // Whoever beats a point comes before it; of those with at most its GPUs, the fastest tells.
  std::map<double, double> fastest; // by GPUs: of that many or fewer
  std::vector<std::size_t> front;
  for (const std::size_t point : points) {
    const auto after = fastest.upper_bound((*gpus)[point]);
    if (after != fastest.begin() && std::prev(after)->second >= (*rate)[point])
      continue;
    front.push_back(point);
    auto at = fastest.insert_or_assign((*gpus)[point], (*rate)[point]).first;
    for (++at; at != fastest.end() && at->second <= (*rate)[point];)
      at = fastest.erase(at);
  }
  return front;
}

} // namespace moesim::analysis
