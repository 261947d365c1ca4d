// Where the ticks of a time axis go, and what they say.
#pragma once

#include <string>
#include <vector>

namespace moesim::analysis {

struct Tick {
  double time = 0; // s
  std::string label;
};

struct TimeAxis {
  std::string unit; // "s", "ms", "us" or "ns"
  std::vector<Tick> ticks;
};

// Ticks from 0 to `end` seconds, 1, 2 or 5 times a power of ten apart, `most` at most besides the one at 0.
[[nodiscard]] TimeAxis time_axis(double end, int most);

} // namespace moesim::analysis
