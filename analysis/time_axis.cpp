#include "analysis/time_axis.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

double nice_step(double at_least) {
  const double power = std::pow(10, std::floor(std::log10(at_least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= at_least * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

} // namespace

TimeAxis time_axis(double end, int most) {
  constexpr std::array<std::pair<double, const char*>, 4> units{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  if (!(end > 0))
    return {"s", {{0, "0"}}};
  std::size_t unit = 0;
  while (end < units[unit].first && unit + 1 < units.size())
    ++unit;
  const double step = nice_step(end / units[unit].first / most);
  TimeAxis axis{units[unit].second, {}};
  for (int i = 0; i * step <= end / units[unit].first * (1 + 1e-9); ++i)
    axis.ticks.push_back({i * step * units[unit].first, fmt::format("{:.6g}", i * step)});
  return axis;
}

} // namespace moesim::analysis
