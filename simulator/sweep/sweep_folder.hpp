// The folder of a sweep: all of its state. Each file is written under a temporary name, reaches the disk and is
// renamed, so that whatever ends a sweep, what is there is whole, and what is not there has to be done. There is no
// lock and no server: several processes, also of several computers, may write to one folder, and the result of a point
// is the same bytes whoever computes it.
//
//   sweep.json           the plan, in full: what --resume compares
//   points/000017.json   what came of a point
//   attempts/HOST-PID    a line for each point that a process started, which tells how often each was tried
//   timelines/000017.h5  result files that were asked for
//   sweep.h5, sweep.csv, timing.csv   the tables, once every point has come to something
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/pool/process_pool.hpp"
#include "simulator/sweep/plan.hpp"

namespace moesim::sweep {

enum class Status : std::uint8_t {
  Done,
  Invalid, // refused by the checks of the scenario, and would be again
  Failed,  // crashed, or went over a limit: another try may do
};

[[nodiscard]] std::string_view name_of(Status status);

struct PointResult {
  Status status = Status::Done;
  std::string summary; // JSON, as `run --json` prints it less wall time
  std::string reason;  // of what is not done, one line
  std::string log;     // the end of what the process said, of what failed
  // What a table that is the same everywhere must not show:
  double wall_time_s = 0;
  std::string host;
  std::string job; // of a batch system, or ""
};

class SweepFolder {
public:
  // Makes the folder, with its plan. Throws InputError when something else is there already.
  static SweepFolder create(const std::filesystem::path& path, const Plan& plan);
  // Throws InputError when no sweep is there, ResultFileError when its plan cannot be read.
  static SweepFolder open(const std::filesystem::path& path);
  // Whether a sweep is there.
  [[nodiscard]] static bool exists(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  // Whether `plan` is this sweep's: the same scenarios as texts, points and fields.
  [[nodiscard]] bool holds(const Plan& plan) const;

  // Throws ResultFileError, as everything that follows.
  void write(std::size_t point, const PointResult& result) const;
  [[nodiscard]] std::optional<PointResult> read(std::size_t point) const;
  // The points that have a result, whatever it is, ascending.
  [[nodiscard]] std::vector<std::size_t> finished() const;
  // The points that have none, and those that failed when `failed_too`, ascending.
  [[nodiscard]] std::vector<std::size_t> to_do(bool failed_too) const;

  // How often each point was started.
  [[nodiscard]] std::vector<std::size_t> attempts() const;
  // A descriptor that a process may append "17\n" to, in one write, when it starts point 17.
  [[nodiscard]] int open_attempts() const;

  [[nodiscard]] std::filesystem::path timeline(std::size_t point) const;
  // Removes what processes that were killed had not finished writing. Requires that no process of this
  // computer is writing; where Slurm was at work nothing is removed.
  void remove_partial_files() const;

private:
  SweepFolder(std::filesystem::path path, Plan plan, std::string identity);

  std::filesystem::path path_;
  Plan plan_;
  std::string identity_; // what holds() compares
};

// This computer's name.
[[nodiscard]] std::string host_name();

} // namespace moesim::sweep
