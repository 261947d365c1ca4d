#include "simulator/sweep/slurm_sweep.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/sweep/chunks.hpp"
#include "simulator/sweep/tables.hpp"

namespace moesim::sweep {
namespace {

namespace fs = std::filesystem;

constexpr Seconds cost_of_nothing{0.005}; // a process that finds its point invalid

fs::path submissions_of(const fs::path& folder) {
  return folder / "slurm";
}

// The same from every node: FNV-1a, 64 bits, of the folder's absolute path.
std::uint64_t mark_of(const fs::path& folder) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : fs::weakly_canonical(folder).string())
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  return hash;
}

std::string job_name(const fs::path& folder, std::size_t submission) {
  return fmt::format("moesim-{:016x}-{:04}", mark_of(folder), submission);
}

std::size_t submission_count(const SweepFolder& folder) {
  std::error_code none_yet;
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(submissions_of(folder.path()), none_yet))
    count = std::max<std::size_t>(count, std::strtoul(entry.path().filename().c_str(), nullptr, 10));
  return count;
}

fs::path submission_path(const SweepFolder& folder, std::size_t submission) {
  return submissions_of(fs::absolute(folder.path())) / fmt::format("{:04}", submission);
}

// Makes the folder of the next submission. Of two that try at once, each gets its own.
std::size_t new_submission(const SweepFolder& folder) {
  fs::create_directories(submissions_of(folder.path()));
  std::size_t submission = submission_count(folder);
  while (!fs::create_directory(submission_path(folder, ++submission))) {
  }
  return submission;
}

std::string shell_quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char letter : word)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

std::string script_of(const std::vector<std::string>& command, const fs::path& submission) {
  std::vector<std::string> words;
  std::ranges::transform(command, std::back_inserter(words), shell_quoted);
  words.push_back(shell_quoted(submission.string()));
  return fmt::format("#!/bin/sh\nexec {}\n", fmt::join(words, " "));
}

std::vector<Seconds> measured_costs(const SweepFolder& folder, std::span<const std::size_t> points,
                                    const SlurmOptions& options) {
  const std::vector<PointCost> known = point_costs(folder.plan(), points, options.run.workers, {});
  const Seconds row_time = measured_row_time(folder.plan(), points, known, options.run.limits).value_or(Seconds());
  std::vector<Seconds> costs;
  std::ranges::transform(known, std::back_inserter(costs),
                         [&](const PointCost& cost) { return std::max(cost_of_nothing, row_time * cost.rows); });
  return costs;
}

std::string end_of(const fs::path& log) {
  constexpr std::size_t most = 4096;
  std::ifstream stream(log, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return text.substr(text.size() - std::min(most, text.size()));
}

using Chunks = std::vector<std::vector<std::size_t>>;

Chunks read_chunks(const fs::path& submission) {
  std::ifstream stream(submission / "chunks.json");
  try {
    return nlohmann::json::parse(stream).get<Chunks>();
  } catch (const nlohmann::json::exception& error) {
    throw record::ResultFileError(fmt::format("{}/chunks.json: is not the list of points of a submission: {}",
                                              submission.string(), error.what()));
  }
}

// Watches one sweep.
class Follower {
public:
  Follower(const SweepFolder& folder, const SlurmOptions& options, const pool::ProgressSink& progress)
      : folder_(folder), options_(options), progress_(progress), attempts_before_(folder.attempts()) {
    at_.total = folder.plan().points.size();
  }

  Followed follow() {
    constexpr int most_idle_rounds = 3;
    int idle_rounds = 0;
    while (true) {
      const std::vector<slurm::ArrayTask> tasks = wait_for_tasks();
      std::vector<std::size_t> missing = folder_.to_do(false);
      const std::vector<std::size_t> attempts = folder_.attempts();
      std::erase_if(missing, [&](std::size_t point) { return give_up(point, attempts[point], tasks); });
      if (missing.empty())
        return Followed::Complete;
      if (std::ranges::any_of(tasks, [&](const auto& task) { return task.is_cancelled() && lacks(task, missing); }))
        return Followed::Cancelled;
      idle_rounds = attempts == attempts_last_ ? idle_rounds + 1 : 0;
      if (idle_rounds == most_idle_rounds)
        return Followed::Stuck;
      attempts_last_ = attempts;
      submit(folder_, missing, options_);
    }
  }

private:
  // Until none is queued or running. Asks more rarely the longer it takes: the controller has other work.
  std::vector<slurm::ArrayTask> wait_for_tasks() {
    std::chrono::milliseconds pause{500};
    while (true) {
      const std::optional<std::vector<slurm::ArrayTask>> tasks = ask();
      if (tasks) {
        count(*tasks);
        if (!is_active(*tasks))
          return *tasks;
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 11 / 10, std::chrono::milliseconds(10'000));
    }
  }

  // None when the controller does not answer, which is an error only if it goes on: controllers are restarted.
  std::optional<std::vector<slurm::ArrayTask>> ask() {
    constexpr int most_refusals = 30;
    try {
      std::vector<slurm::ArrayTask> tasks = tasks_of(folder_);
      refusals_ = 0;
      return tasks;
    } catch (const slurm::SlurmError&) {
      if (++refusals_ == most_refusals)
        throw;
      return {};
    }
  }

  // Reads each result once.
  void count(const std::vector<slurm::ArrayTask>& tasks) {
    for (const std::size_t point : folder_.finished()) {
      if (!seen_.insert(point).second)
        continue;
      const Status status = folder_.read(point)->status;
      ++(status == Status::Failed ? at_.failed : status == Status::Invalid ? at_.refused : at_.done);
    }
    at_.running = static_cast<std::size_t>(std::ranges::count_if(tasks, &slurm::ArrayTask::is_running));
    if (progress_)
      progress_(at_);
  }

  // The last task that had the point, as Slurm remembers it, and its log.
  [[nodiscard]] std::pair<std::string, fs::path> last_task(std::size_t point,
                                                           const std::vector<slurm::ArrayTask>& tasks) const {
    const std::size_t submission = submission_count(folder_);
    const fs::path path = submission_path(folder_, submission);
    const Chunks chunks = read_chunks(path);
    for (std::size_t task = 0; task < chunks.size(); ++task) {
      if (!std::ranges::binary_search(chunks[task], point))
        continue;
      const auto known =
          std::find_if(tasks.rbegin(), tasks.rend(), [&](const slurm::ArrayTask& each) { return each.task == task; });
      const std::string state = known == tasks.rend() ? "and is forgotten" : "as " + known->state;
      return {fmt::format("task {} of submission {} ended {}", task, submission, state),
              path / fmt::format("{}.log", task)};
    }
    return {"no task has it", {}};
  }

  // Whether a point was tried so often that it is marked as failed.
  bool give_up(std::size_t point, std::size_t attempts, const std::vector<slurm::ArrayTask>& tasks) {
    if (attempts - attempts_before_[point] < most_attempts)
      return false;
    const auto [ended, log] = last_task(point, tasks);
    PointResult result;
    result.status = Status::Failed;
    result.reason = fmt::format("was started {} times on Slurm and never ended: {}; its log is {}", attempts, ended,
                                fs::relative(log, fs::absolute(folder_.path())).string());
    result.log = end_of(log);
    result.host = host_name();
    folder_.write(point, result);
    return true;
  }

  // Whether a task of the last submission left points over.
  [[nodiscard]] bool lacks(const slurm::ArrayTask& task, const std::vector<std::size_t>& missing) const {
    const Chunks chunks = read_chunks(submission_path(folder_, submission_count(folder_)));
    return task.task < chunks.size() && std::ranges::any_of(chunks[task.task], [&](std::size_t point) {
             return std::ranges::binary_search(missing, point);
           });
  }

  const SweepFolder& folder_;
  const SlurmOptions& options_;
  const pool::ProgressSink& progress_;
  std::vector<std::size_t> attempts_before_;
  std::vector<std::size_t> attempts_last_;
  int refusals_ = 0; // of the controller, one after the other
  std::set<std::size_t> seen_;
  pool::Progress at_;
};

} // namespace

bool has_submissions(const SweepFolder& folder) {
  return submission_count(folder) > 0;
}

std::vector<slurm::ArrayTask> tasks_of(const SweepFolder& folder) {
  const std::size_t last = submission_count(folder);
  return last == 0 ? std::vector<slurm::ArrayTask>() : slurm::tasks_named(job_name(folder.path(), last));
}

bool is_active(const std::vector<slurm::ArrayTask>& tasks) {
  return std::ranges::any_of(tasks, [](const slurm::ArrayTask& task) { return task.is_running() || task.is_queued(); });
}

std::string submit(const SweepFolder& folder, std::span<const std::size_t> points, const SlurmOptions& options) {
  const std::vector<Seconds> costs = measured_costs(folder, points, options);
  Seconds total;
  for (const Seconds cost : costs)
    total += cost;
  const std::size_t count =
      options.array_size > 0 ? options.array_size : task_count(total, options.run.workers, points.size(), most_tasks);
  const Chunks chunks = chunks_of(points, costs, count);
  const std::size_t submission = new_submission(folder);
  const fs::path path = submission_path(folder, submission);
  const std::string text = nlohmann::json(chunks).dump() + "\n";
  record::replace_file(path / "chunks.json", std::as_bytes(std::span(text)));
  return slurm::submit({.name = job_name(folder.path(), submission),
                        .script = script_of(options.task_command, path),
                        .tasks = chunks.size(),
                        .cpus = options.run.workers,
                        .logs = path,
                        .partition = options.partition,
                        .account = options.account,
                        .time = options.time,
                        .more = options.sbatch_arguments});
}

void run_task(const fs::path& submission, std::size_t task, const RunOptions& options) {
  const SweepFolder folder = SweepFolder::open(submission.parent_path().parent_path());
  const Chunks chunks = read_chunks(submission);
  if (task >= chunks.size())
    throw record::ResultFileError(fmt::format("{}/chunks.json: has no task {}", submission.string(), task));
  run_points(folder, chunks[task], options, {});
  if (folder.to_do(false).empty())
    finish(folder, options.keep);
}

Followed follow(const SweepFolder& folder, const SlurmOptions& options, const pool::ProgressSink& progress) {
  return Follower(folder, options, progress).follow();
}

} // namespace moesim::sweep
