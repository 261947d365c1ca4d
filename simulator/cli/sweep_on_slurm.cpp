#include "simulator/cli/sweep_options.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/slurm/job_array.hpp"
#include "simulator/sweep/slurm_sweep.hpp"
#include "simulator/sweep/tables.hpp"

namespace moesim::cli {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

sweep::SlurmOptions slurm_options(const SweepOptions& options) {
  sweep::SlurmOptions result;
  result.run = run_options(options, 1);
  result.array_size = options.array_size;
  result.partition = options.partition;
  result.account = options.account;
  result.time = options.time;
  result.sbatch_arguments = words_of(options.sbatch_arguments);
  result.task_command = {std::filesystem::read_symlink("/proc/self/exe").string(),
                         "sweep",
                         "--keep",
                         options.keep,
                         "-j",
                         fmt::format("{}", result.run.workers)};
  for (const auto& [option, value] :
       {std::pair{"--time-limit", &options.time_limit}, {"--memory-limit", &options.memory_limit}})
    if (!value->empty())
      result.task_command.insert(result.task_command.end(), {option, *value});
  result.task_command.emplace_back("--slurm-task");
  return result;
}

int follow(const sweep::SweepFolder& folder, const sweep::SlurmOptions& options) {
  sweep::Followed followed{};
  {
    SweepBar bar("sweeping on Slurm");
    followed = sweep::follow(folder, options, [&](const pool::Progress& progress) { bar.show(progress); });
  }
  if (followed == sweep::Followed::Complete)
    return report_finish(folder, options.run.keep);
  const std::size_t missing = folder.to_do(false).size();
  fmt::print("{} of {} points are missing: {}; --resume goes on with them\n", missing, folder.plan().points.size(),
             followed == sweep::Followed::Cancelled
                 ? "tasks were cancelled"
                 : fmt::format("tasks end without starting any (their logs are in {}/slurm)", folder.path().string()));
  return 1;
}

} // namespace

void declare_slurm_options(CLI::App& command, SweepOptions& options) {
  const auto add = [&](auto* option) { return option->group("Slurm"); };
  add(command.add_flag("--slurm", options.slurm,
                       "Run as a job array of Slurm, with the folder on a shared file system"));
  add(command.add_flag("--no-wait", options.no_wait, "Return when the array is submitted, instead of following it"));
  add(command.add_option("--array-size", options.array_size,
                         "Tasks of the array (default: as many as are worth starting)"))
      ->check(CLI::Range(1, 1'000'000));
  add(command.add_option("--partition", options.partition, "As sbatch takes it"));
  add(command.add_option("--account", options.account, "As sbatch takes it"));
  add(command.add_option("--time", options.time, "Time limit of a task, as sbatch takes it"));
  add(command.add_option("--sbatch-args", options.sbatch_arguments,
                         "More arguments of sbatch, such as '--qos=low --mem=4G'"));
  command.add_option("--slurm-task", options.slurm_task)->group(""); // what tasks are started with
}

int sweep_on_slurm(const SweepOptions& options) {
  if (!slurm::is_available())
    throw slurm::SlurmError(
        "Slurm is not here: there is no squeue on PATH; use a login node of its cluster, or leave out "
        "--slurm to run the sweep on this computer");
  const sweep::SlurmOptions on_slurm = slurm_options(options);
  const sweep::SweepFolder folder = open_folder(options);
  if (!sweep::is_active(sweep::tasks_of(folder))) {
    const std::vector<std::size_t> points = folder.to_do(options.resume);
    if (points.empty())
      return report_finish(folder, on_slurm.run.keep);
    const std::string job = sweep::submit(folder, points, on_slurm);
    fmt::print("submitted {} points as job {}\n", points.size(), job);
    std::fflush(stdout); // what follows may take hours
  }
  if (!options.no_wait)
    return follow(folder, on_slurm);
  fmt::print("{}moesim sweep --status {} says how far it is\n", slurm_text(folder), options.output);
  return 0;
}

int run_slurm_task(const SweepOptions& options) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string task = variable("SLURM_ARRAY_TASK_ID");
  if (task.empty())
    throw InputError({options.slurm_task}, "", "this is no task of Slurm; expected SLURM_ARRAY_TASK_ID");
  sweep::RunOptions run = run_options(options, 1);
  run.job = fmt::format("{}_{}", variable("SLURM_ARRAY_JOB_ID"), task);
  sweep::run_task(options.slurm_task, std::strtoul(task.c_str(), nullptr, 10), run);
  return 0;
}

std::string slurm_text(const sweep::SweepFolder& folder) {
  if (!sweep::has_submissions(folder) || !slurm::is_available())
    return "";
  const std::vector<slurm::ArrayTask> tasks = sweep::tasks_of(folder);
  const auto running = std::ranges::count_if(tasks, &slurm::ArrayTask::is_running);
  const auto queued = std::ranges::count_if(tasks, &slurm::ArrayTask::is_queued);
  return tasks.empty() ? "" : fmt::format("job {}: {} tasks running, {} queued\n", tasks.front().job, running, queued);
}

void check_not_on_slurm(const sweep::SweepFolder& folder) {
  if (!sweep::has_submissions(folder) || !slurm::is_available())
    return;
  if (const std::vector<slurm::ArrayTask> tasks = sweep::tasks_of(folder); sweep::is_active(tasks))
    throw InputError({folder.path().string()}, "",
                     fmt::format("job {} of Slurm is at work on this sweep; expected --slurm to follow it, or its end",
                                 tasks.front().job));
}

} // namespace moesim::cli
