// The options of `moesim sweep`, and what its ways of running share.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "simulator/cli/terminal.hpp"
#include "simulator/pool/process_pool.hpp"
#include "simulator/sweep/run_points.hpp"
#include "simulator/sweep/sweep_folder.hpp"

namespace moesim::cli {

struct SweepOptions {
  std::string file;
  std::string output;
  std::string status; // folder
  std::size_t workers = 0;
  bool dry_run = false;
  bool resume = false;
  std::string keep = "none";
  std::string time_limit;
  std::string memory_limit;

  bool slurm = false;
  bool no_wait = false;
  std::size_t array_size = 0;
  std::string partition;
  std::string account;
  std::string time;
  std::string sbatch_arguments;
  std::string slurm_task; // folder of a submission: this process is one of its tasks
};

void declare_slurm_options(CLI::App& command, SweepOptions& options);

// `default_workers` where nobody said how many.
[[nodiscard]] sweep::RunOptions run_options(const SweepOptions& options, std::size_t default_workers);

// The folder of a new sweep, or of one to go on with. Throws InputError.
[[nodiscard]] sweep::SweepFolder open_folder(const SweepOptions& options);

// Writes the tables of a sweep whose every point has come to something, and says so. Returns the exit status.
int report_finish(const sweep::SweepFolder& folder, sweep::Keep keep);

// Runs a sweep on Slurm, or a task of one.
int sweep_on_slurm(const SweepOptions& options);
int run_slurm_task(const SweepOptions& options);
// "job 12: 3 tasks running, 5 queued\n", or "" when Slurm is not here or has no tasks of the sweep.
[[nodiscard]] std::string slurm_text(const sweep::SweepFolder& folder);
// Throws InputError when tasks of Slurm are at work on the sweep.
void check_not_on_slurm(const sweep::SweepFolder& folder);

// A bar that knows how long it has been there, and what was done before.
class SweepBar {
public:
  explicit SweepBar(const char* label) : bar_(label) {}

  void show(const pool::Progress& progress);

private:
  ProgressBar bar_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::optional<std::size_t> before_; // points that had ended already
};

} // namespace moesim::cli
