#include "analysis/time_axis.hpp"

#include "simulator/base/format.hpp"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

using NamedUnit = std::pair<double, const char*>;

double nice_step(double at_least) {
  const double power = std::pow(10, std::floor(std::log10(at_least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= at_least * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

// The largest unit that leaves at least 1.
NamedUnit unit_for(double time, TimeUnit unit) {
  constexpr std::array<NamedUnit, 4> units{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  if (unit == TimeUnit::Arbitrary)
    return {1, "units"};
  std::size_t at = 0;
  while (time > 0 && time < units[at].first && at + 1 < units.size())
    ++at;
  return units[at];
}

} // namespace

TimeAxis time_axis(double from, double to, int most, TimeUnit unit) {
  const auto [size, name] = unit_for(to, unit);
  TimeAxis axis{name, {}};
  if (!(to > from)) {
    axis.ticks.push_back({from, fmt::format("{:.6g}", from / size)});
    return axis;
  }
  const double step = nice_step((to - from) / size / most);
  for (double i = std::ceil(from / size / step * (1 - 1e-9)); i * step <= to / size * (1 + 1e-9); ++i)
    axis.ticks.push_back({i * step * size, fmt::format("{:.6g}", i * step)});
  return axis;
}

std::string format_time(double time, TimeUnit unit) {
  return unit == TimeUnit::Second ? format_seconds(Seconds(time)) : fmt::format("{:.6g}", time);
}

} // namespace moesim::analysis
