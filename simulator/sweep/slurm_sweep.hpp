// A sweep as job arrays of Slurm. All state is in the folder of the sweep, on a file system that login nodes and
// compute nodes share:
//
//   slurm/0001/chunks.json   the points of each task of the first submission
//   slurm/0001/0.log         what its task 0 said
//
// There is no server and no lock: tasks write the results of points, which are whole or not there; whoever follows the
// sweep only reads, and submits what is missing once no task is left. A submission is found in Slurm by its name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "simulator/pool/process_pool.hpp"
#include "simulator/slurm/job_array.hpp"
#include "simulator/sweep/run_points.hpp"
#include "simulator/sweep/sweep_folder.hpp"

namespace moesim::sweep {

struct SlurmOptions {
  RunOptions run;                       // of each task; workers are its CPUs
  std::size_t array_size = 0;           // tasks; 0: as many as are worth starting
  std::string partition, account, time; // as sbatch takes them
  std::vector<std::string> sbatch_arguments;
  // The command that a task runs, without the folder of its submission at the end.
  std::vector<std::string> task_command;
};

// The most tasks of an array that nobody asked for: Slurm's MaxArraySize is 1001 unless it is configured.
inline constexpr std::size_t most_tasks = 256;
// A point that was started so often and has no result takes its task or its node with it.
inline constexpr std::size_t most_attempts = 3;

// Whether the sweep was ever submitted.
[[nodiscard]] bool has_submissions(const SweepFolder& folder);
// The tasks of its last submission that Slurm knows. Throws SlurmError.
[[nodiscard]] std::vector<slurm::ArrayTask> tasks_of(const SweepFolder& folder);
// Whether any of them is running or will be.
[[nodiscard]] bool is_active(const std::vector<slurm::ArrayTask>& tasks);

// Submits `points`, in chunks of about the same measured cost, and returns the job's number. Throws SlurmError.
std::string submit(const SweepFolder& folder, std::span<const std::size_t> points, const SlurmOptions& options);

// What one task of a submission does. The last to end writes the tables.
void run_task(const std::filesystem::path& submission, std::size_t task, const RunOptions& options);

enum class Followed : std::uint8_t {
  Complete,  // every point has come to something
  Cancelled, // somebody cancelled tasks: points are missing, and are left so
  Stuck,     // tasks end without starting anything, again and again
};

// Watches until no task is left, submits again what node failures, time-outs and kills left over, and marks what was
// tried too often as failed, with the end of its log. Throws SlurmError.
[[nodiscard]] Followed follow(const SweepFolder& folder, const SlurmOptions& options,
                              const pool::ProgressSink& progress);

} // namespace moesim::sweep
