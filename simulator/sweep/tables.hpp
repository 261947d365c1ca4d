// The tables of a sweep whose every point has come to something.
#pragma once

#include <optional>
#include <string>

#include "simulator/record/sweep_table.hpp"
#include "simulator/sweep/run_points.hpp"
#include "simulator/sweep/sweep_folder.hpp"

namespace moesim::sweep {

// Requires a result of every point. Figures are the numbers of the summaries, in the order in which points first have
// them, those of nested objects named with dots; lists (such as the bubbles of each stage) stay in the points' files.
[[nodiscard]] record::SweepTable table_of(const SweepFolder& folder);

// The done point with the most tokens per second whose model fits into memory; of equals the first.
[[nodiscard]] std::optional<std::size_t> best_point(const record::SweepTable& table);

// Writes sweep.h5, sweep.csv and timing.csv. Any process may do so at any time: they come out the same.
record::SweepTable write_tables(const SweepFolder& folder);

// The end of a sweep: writes the tables, and the timeline of the best point where that is to be kept.
record::SweepTable finish(const SweepFolder& folder, Keep keep);

} // namespace moesim::sweep
