// The way from what a scenario has to what it should do, in as few changes as that takes.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "simulator/search/measure.hpp"
#include "simulator/search/search.hpp"
#include "simulator/search/space.hpp"

namespace moesim::search {

// What is asked for, of times at most as much; the default asks for nothing.
struct Wanted {
  static constexpr Seconds any{std::numeric_limits<double>::infinity()};
  Seconds time = any; // of an iteration, or of the whole batch
  Seconds ttft = any;
  Seconds tpot = any;

  [[nodiscard]] bool asks() const { return time < any || ttft < any || tpot < any; }
  [[nodiscard]] bool is_met_by(const Measurement& measurement) const;
};

// A setting that a candidate has otherwise than the scenario. What follows from others is none: dp, and how many chunks
// a schedule has.
struct Change {
  std::string axis, from, to;
};

struct Nearest {
  std::optional<Found> as_given; // what the scenario has itself, where that fits
  std::optional<Found> found;    // none: nothing fits
  std::vector<Change> changes;   // of what was found
  bool meets = false;            // what is wanted
  std::size_t simulated = 0;
};

// Changes to look for at the most, and candidates to simulate for each number of them.
inline constexpr std::size_t most_changes = 3;
inline constexpr std::size_t most_simulated = 512;

// Every axis, and first of all what the scenario has.
[[nodiscard]] Axes axes_around(const Subject& subject);

// Of the candidates that fit, with as few changes as possible the fastest one that does what is wanted, if the fastest
// with so many changes does; else the fastest of all with up to most_changes. `space` is of axes_around(). The
// candidates with so many changes are simulated in the order of their lower bounds, until the next bound is above the
// best time, or most_simulated have been. Nothing depends on the number of workers.
[[nodiscard]] Nearest nearest(const Space& space, const Wanted& wanted, Bytes memory_limit, std::size_t workers);

} // namespace moesim::search
