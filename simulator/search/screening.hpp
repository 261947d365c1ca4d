// Which candidates could still win, by how long each takes at least. Pure, but for the processes that share the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "simulator/search/space.hpp"

namespace moesim::search {

// Throughput: tokens a second; latency: the time of an iteration, or until a batch has been answered. They differ where
// candidates differ in the size of the batch.
enum class Objective : std::uint8_t { Throughput, Latency };

// What is made as small as possible: seconds, for each sequence where it is about throughput.
[[nodiscard]] double score(Objective objective, Seconds time, const Layout& layout);

struct Goal {
  Objective objective = Objective::Throughput;
  Bytes memory_limit;   // of each GPU
  double threshold = 0; // scores above cannot win
};

struct BoundedCandidate {
  double bound = 0; // its score is at least that
  Candidate candidate;
  auto operator<=>(const BoundedCandidate&) const = default;
};

struct Screened {
  std::vector<BoundedCandidate> open; // by bound, then by candidate
  std::size_t too_slow = 0;           // bounds above the threshold
  std::size_t too_large = 0;          // of the others: what is there all the time is more than the limit
};

// Of each of these layouts, a bound of the scores of all its candidates.
[[nodiscard]] std::vector<double> layout_bounds(const Space& space, std::span<const std::uint32_t> layouts,
                                                Objective objective);

// All candidates of these layouts.
[[nodiscard]] Screened screen_candidates(const Space& space, std::span<const std::uint32_t> layouts, const Goal& goal);

// The same, shared by processes: what a screen keeps would make this one large, and slow to fork. `progress` is called
// with what is done of what.
struct Workers {
  std::size_t count = 1;
  std::function<void(std::size_t done, std::size_t total)> progress;
};
[[nodiscard]] std::vector<double> layout_bounds(const Space& space, std::span<const std::uint32_t> layouts,
                                                Objective objective, const Workers& workers);
[[nodiscard]] Screened screen_candidates(const Space& space, std::span<const std::uint32_t> layouts, const Goal& goal,
                                         const Workers& workers);

} // namespace moesim::search
