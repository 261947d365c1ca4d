// Where the ticks of a time axis go, and how times are written.
#pragma once

#include <string>
#include <vector>

#include "analysis/gantt_options.hpp"

namespace moesim::analysis {

struct Tick {
  double time = 0;
  std::string label;
};

struct TimeAxis {
  std::string unit; // "s", "ms", "us" or "ns"; "units" of an arbitrary one
  std::vector<Tick> ticks;
};

// Ticks from `from` to `to`, at multiples of 1, 2 or 5 times a power of ten, `most` at most besides the first. The unit
// suits `to`.
[[nodiscard]] TimeAxis time_axis(double from, double to, int most, TimeUnit unit = TimeUnit::Second);

// "12.3 ms", or "12.3" in an arbitrary unit.
[[nodiscard]] std::string format_time(double time, TimeUnit unit);

} // namespace moesim::analysis
