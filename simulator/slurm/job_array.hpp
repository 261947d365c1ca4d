// Job arrays of Slurm, through its commands: sbatch and squeue. Of other computers nothing is asked but that their
// Slurm answers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace moesim::slurm {

// What Slurm refuses, or that there is none; what() is one line for the user.
class SlurmError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct JobArray {
  std::string name;
  std::string script;         // of each task; SLURM_ARRAY_TASK_ID tells which one it is
  std::size_t tasks = 1;      // numbered from 0
  std::size_t cpus = 1;       // of a task
  std::filesystem::path logs; // folder for what each task says: 0.log, 1.log, ...
  std::string partition{};    // these as sbatch takes them; "" leaves the choice to Slurm
  std::string account{};
  std::string time{};              // for each task
  std::vector<std::string> more{}; // arguments of sbatch
};

// Where a task of an array is.
struct ArrayTask {
  std::string job; // number of the array
  std::size_t task = 0;
  std::string state; // "PENDING", "RUNNING", "COMPLETED", "TIMEOUT", "NODE_FAIL", ...

  [[nodiscard]] bool is_running() const;
  [[nodiscard]] bool is_queued() const; // or held, or about to be put into the queue again
  [[nodiscard]] bool is_cancelled() const;
  bool operator==(const ArrayTask&) const = default;
};

// Whether Slurm's commands are on PATH.
[[nodiscard]] bool is_available();

// The arguments of sbatch.
[[nodiscard]] std::vector<std::string> sbatch_words(const JobArray& array);
// Submits the array and returns its number. After a node failure or preemption Slurm starts a task again. Throws
// SlurmError.
std::string submit(const JobArray& array);

// What squeue prints with the format that tasks_named() asks for; lines of another form are left out.
[[nodiscard]] std::vector<ArrayTask> parse_tasks(const std::string& text);
// The tasks of all arrays of that name that the controller knows: those that have ended it forgets after a while.
// Throws SlurmError.
[[nodiscard]] std::vector<ArrayTask> tasks_named(const std::string& name);

} // namespace moesim::slurm
