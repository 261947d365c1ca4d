// What a timeline shows of a run, whatever it is drawn as.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace moesim::analysis {

// What one unit of a record's times is: a second, or, in a schedule by itself, whatever its costs are in.
enum class TimeUnit : std::uint8_t { Second, Arbitrary };

struct GanttOptions {
  std::vector<std::uint32_t> ranks{}; // empty: the first rank of each pipeline stage
  double from = 0;                    // s
  double to = std::numeric_limits<double>::infinity();
  double width = 1200; // pixels, of a picture
  TimeUnit unit = TimeUnit::Second;
};

} // namespace moesim::analysis
