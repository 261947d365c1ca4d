// Points into chunks of about the same cost, one for each task of a job array.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::sweep {

// Shares `points` out to at most `count` chunks, none of them empty: the most expensive first, each to the chunk that
// has the least so far (Graham, SIAM J. Appl. Math. 17, 1969: at most 4/3 of the best largest chunk). Each chunk is
// ascending.
[[nodiscard]] std::vector<std::vector<std::size_t>> chunks_of(std::span<const std::size_t> points,
                                                              std::span<const Seconds> costs, std::size_t count);

// How many tasks a sweep should have: a task should be worth the seconds that Slurm takes to start it, and not more
// than `most` or one for each point.
[[nodiscard]] std::size_t task_count(Seconds total_cost, std::size_t cpus, std::size_t points, std::size_t most);

} // namespace moesim::sweep
