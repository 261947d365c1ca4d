#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/quantity_option.hpp"
#include "simulator/cli/sweep_options.hpp"
#include "simulator/cli/sweep_text.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/sweep/run_points.hpp"
#include "simulator/sweep/sweep_folder.hpp"
#include "simulator/sweep/tables.hpp"

namespace moesim::cli {
namespace {

int dry_run(const sweep::Plan& plan, const sweep::RunOptions& options) {
  std::vector<std::size_t> points(plan.points.size());
  std::iota(points.begin(), points.end(), 0U);
  std::vector<sweep::PointCost> costs;
  {
    SweepBar bar("checking");
    costs = sweep::point_costs(plan, points, options.workers, [&](const pool::Progress& at) { bar.show(at); });
  }
  const auto row_time = sweep::measured_row_time(plan, points, costs, options.limits);
  fmt::print("{}", dry_run_text(plan, costs, row_time, options.workers));
  return 0;
}

int run_here(const SweepOptions& options) {
  const sweep::RunOptions run = run_options(options, pool::processor_count());
  const sweep::SweepFolder folder = open_folder(options);
  check_not_on_slurm(folder);
  folder.remove_partial_files();
  const std::vector<std::size_t> points = folder.to_do(options.resume);
  {
    SweepBar bar("sweeping");
    sweep::run_points(folder, points, run, [&](const pool::Progress& progress) { bar.show(progress); });
  }
  return report_finish(folder, run.keep);
}

int sweep(const SweepOptions& options) {
  if (!options.status.empty()) {
    const sweep::SweepFolder folder = sweep::SweepFolder::open(options.status);
    fmt::print("{}{}", status_text(folder), slurm_text(folder));
    return 0;
  }
  if (!options.slurm_task.empty())
    return run_slurm_task(options);
  if (options.file.empty() && (!options.resume || options.dry_run))
    throw CLI::RequiredError("sweep");
  if (options.dry_run)
    return dry_run(sweep::read_plan(options.file), run_options(options, pool::processor_count()));
  if (options.output.empty())
    throw CLI::RequiredError("--output");
  return options.slurm ? sweep_on_slurm(options) : run_here(options);
}

} // namespace

sweep::RunOptions run_options(const SweepOptions& options, std::size_t default_workers) {
  sweep::RunOptions result;
  result.workers = options.workers > 0 ? options.workers : default_workers;
  if (!options.time_limit.empty())
    result.limits.time = time_option("--time-limit", options.time_limit);
  if (!options.memory_limit.empty())
    result.limits.memory = size_option("--memory-limit", options.memory_limit);
  result.keep = options.keep == "all"    ? sweep::Keep::All
                : options.keep == "best" ? sweep::Keep::Best
                                         : sweep::Keep::None;
  return result;
}

sweep::SweepFolder open_folder(const SweepOptions& options) {
  const std::filesystem::path folder = options.output;
  if (!sweep::SweepFolder::exists(folder)) {
    if (options.file.empty())
      throw InputError({options.output}, "", "there is no sweep in this folder; expected its sweep file as well");
    return sweep::SweepFolder::create(folder, sweep::read_plan(options.file));
  }
  if (!options.resume)
    throw InputError({options.output}, "",
                     "there is a sweep in this folder already; expected --resume to go on with it, or another folder");
  sweep::SweepFolder there = sweep::SweepFolder::open(folder);
  if (!options.file.empty() && !there.holds(sweep::read_plan(options.file)))
    throw InputError(
        {options.output}, "",
        fmt::format("there is another sweep in this folder, whose points or scenarios are not those of {}; "
                    "expected another folder",
                    options.file));
  return there;
}

int report_finish(const sweep::SweepFolder& folder, sweep::Keep keep) {
  const record::SweepTable table = sweep::finish(folder, keep);
  fmt::print("{}wrote {}/sweep.h5, sweep.csv and timing.csv\n", table_text(table, folder.plan()),
             folder.path().string());
  return std::ranges::count(table.status, sweep::name_of(sweep::Status::Failed)) > 0 ? 1 : 0;
}

void SweepBar::show(const pool::Progress& progress) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began_;
  const std::size_t ended = progress.done + progress.refused + progress.failed;
  before_ = before_.value_or(ended);
  bar_.show(ended, progress.total, progress_text(progress, *before_, Seconds(elapsed.count())));
}

void add_sweep(CLI::App& app, int& status) {
  const auto options = std::make_shared<SweepOptions>();
  CLI::App* command = app.add_subcommand("sweep", "Simulate many points of a scenario, several at a time");
  command->add_option("sweep", options->file, "Sweep file (YAML): scenarios, and what to vary");
  command->add_option("-o,--output", options->output, "Folder for the tables and the state of the sweep");
  command->add_option("-j,--jobs", options->workers, "Processes at a time (default: the processors)")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--dry-run", options->dry_run, "Count the points, estimate their time and name the invalid ones");
  command->add_flag("--resume", options->resume,
                    "Go on with the sweep in the folder: what is missing, and what failed");
  command->add_option("--keep", options->keep, "Keep the result files (HDF5) of these points, in timelines/")
      ->check(CLI::IsMember({"none", "best", "all"}));
  command->add_option("--time-limit", options->time_limit,
                      "Time that a point may take, such as 60s; beyond it, it failed");
  command->add_option("--memory-limit", options->memory_limit, "Memory that a point may take, such as 4GiB");
  command->add_option("--status", options->status, "Say how far the sweep in this folder is");
  declare_slurm_options(*command, *options);
  command->callback([options, &status] { status = sweep(*options); });
}

} // namespace moesim::cli
