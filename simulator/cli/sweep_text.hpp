// What `moesim sweep` says.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "simulator/base/units.hpp"
#include "simulator/pool/process_pool.hpp"
#include "simulator/record/sweep_table.hpp"
#include "simulator/sweep/plan.hpp"
#include "simulator/sweep/run_points.hpp"

namespace moesim::cli {

// "12 done, 2 running, 1 failed, 41.2 points/s, 13 s left", after a time in which `before` of these were there already.
[[nodiscard]] std::string progress_text(const pool::Progress& progress, std::size_t before, Seconds elapsed);

// "45 s", "12 min", "3.5 h"
[[nodiscard]] std::string format_duration(Seconds time);

// "point 17 (a=1 b=2)"
[[nodiscard]] std::string point_text(const sweep::Plan& plan, std::size_t point);

// How many points there are, why some are invalid, and how long the others take.
[[nodiscard]] std::string dry_run_text(const sweep::Plan& plan, std::span<const sweep::PointCost> costs,
                                       std::optional<Seconds> row_time, std::size_t workers);

// How many points came to what, the best one, and why some came to nothing.
[[nodiscard]] std::string table_text(const record::SweepTable& table, const sweep::Plan& plan);

// How many points of a sweep have come to what, and how many are missing.
[[nodiscard]] std::string status_text(const sweep::SweepFolder& folder);

} // namespace moesim::cli
