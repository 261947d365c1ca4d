// Finds the best candidates of a space: what exhaustive simulation would find, with most of it left out.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "simulator/search/measure.hpp"
#include "simulator/search/screening.hpp"

namespace moesim::search {

struct Options {
  Objective objective = Objective::Throughput;
  Bytes memory_limit;   // of each GPU
  std::size_t top = 10; // candidates to find
  std::size_t workers = 1;
};

struct Found {
  Candidate candidate;
  Measurement measurement;
};

// How many candidates each step left out; together with what was simulated, all of them.
struct Counts {
  std::size_t layouts = 0;
  std::size_t candidates = 0;
  std::size_t slow_layouts = 0; // candidates of layouts that cannot win whatever their variant is
  std::size_t too_slow = 0;     // others that cannot win
  std::size_t too_large = 0;    // could win by time, but do not fit into the memory
  std::size_t refused = 0;      // make a run that load() refuses as too large
  std::size_t failed = 0;       // crashed, or ran out of memory: none, unless the machine is too small
  std::size_t simulated = 0;
};

struct Result {
  std::vector<Found> ranking; // the best first
  Counts counts;
};

// "bounding", "screening" or "simulating", and what is done of what.
using Progress = std::function<void(std::string_view what, std::size_t done, std::size_t total)>;

// The first `top` of all candidates that fit, by score; of equal scores (to a picosecond) the earlier candidate.
// Neither depends on the number of workers.
[[nodiscard]] Result search(const Space& space, const Options& options, const Progress& progress);

} // namespace moesim::search
