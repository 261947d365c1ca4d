// Simulates points of a sweep on this computer, and keeps what comes of each in its folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulator/pool/process_pool.hpp"
#include "simulator/sweep/sweep_folder.hpp"

namespace moesim::sweep {

enum class Keep : std::uint8_t { None, Best, All }; // timelines

struct RunOptions {
  std::size_t workers = 1;
  pool::Limits limits; // of a point
  Keep keep = Keep::None;
  std::string job; // of a batch system, or ""
};

// Runs `points` in this order, and skips what another process has done meanwhile. One that fails is a result like any
// other. Throws ResultFileError when the folder cannot be written.
void run_points(const SweepFolder& folder, std::span<const std::size_t> points, const RunOptions& options,
                const pool::ProgressSink& progress);

// What is known of a point before it is simulated.
struct PointCost {
  std::string reason; // why it is invalid, else ""
  double rows = 0;    // task rows that are simulated: what the time grows with
};

// Of each point of the plan, loaded and folded on `workers` processes.
[[nodiscard]] std::vector<PointCost> point_costs(const Plan& plan, std::span<const std::size_t> points,
                                                 std::size_t workers, const pool::ProgressSink& progress);

// Seconds that a task row takes, as simulating the point of median cost shows; none when no point is valid. `points`
// and `costs` go together.
[[nodiscard]] std::optional<Seconds> measured_row_time(const Plan& plan, std::span<const std::size_t> points,
                                                       std::span<const PointCost> costs, const pool::Limits& limits);

// Simulates a point once more and keeps its timeline. Throws ResultFileError when that fails.
void keep_timeline(const SweepFolder& folder, std::size_t point);

} // namespace moesim::sweep
