// The whole program against bare SimGrid: times `moesim run SCENARIO -o RESULT` and simgrid_floor with the same numbers
// of compute tasks and flows, in turn, and prints the ratio of their CPU times.
//
//   run_benchmark SCENARIO [--set path=value]... [--repeat 5]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "simulator/cost/cost_table.hpp"
#include "simulator/run/simulate.hpp"

namespace {

struct Usage {
  double cpu_seconds = 0;
  double wall_seconds = 0;
  double peak_bytes = 0;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// Runs a command with its output thrown away. Throws when it fails.
Usage measure(const std::vector<std::string>& command) {
  const auto began = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stdout) == nullptr)
      _exit(126);
    std::vector<char*> arguments;
    for (const std::string& argument : command)
      arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0)
    throw std::runtime_error(command[0] + " failed");
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), wall.count(),
          1024.0 * static_cast<double>(usage.ru_maxrss)};
}

Usage median(std::vector<Usage> runs) {
  std::ranges::sort(runs, {}, &Usage::cpu_seconds);
  return runs[runs.size() / 2];
}

void print(const char* name, const Usage& usage, std::size_t activities) {
  fmt::print("{:<30} {:8.2f} {:8.2f} {:12.0f} {:10.0f}\n", name, usage.cpu_seconds, usage.wall_seconds,
             static_cast<double>(activities) / usage.cpu_seconds, usage.peak_bytes / (1024 * 1024));
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Times moesim run against bare SimGrid");
  std::string file;
  std::vector<std::string> assignments;
  std::size_t repeat = 5;
  app.add_option("scenario", file)->required();
  app.add_option("--set", assignments)->take_all()->allow_extra_args(false);
  app.add_option("--repeat", repeat)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  const moesim::scenario::Scenario scenario = moesim::scenario::load(file, assignments);
  const moesim::graph::TaskGraph graph = moesim::run::task_graph(scenario);
  const moesim::execution::Costs costs = moesim::cost::cost_table(graph, scenario.cluster);
  std::size_t kernels = 0;
  std::size_t flows = 0;
  for (std::size_t task = 0; task < graph.task_count(); ++task) {
    if (graph.tasks()[task].kind == moesim::graph::Kind::Compute)
      ++kernels;
    else
      flows += costs.communications[costs.of_task[task]].flows.size();
  }

  const std::filesystem::path build = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
  const std::string result =
      (std::filesystem::temp_directory_path() / fmt::format("run_benchmark.{}.h5", getpid())).string();
  std::vector<std::string> run{(build / "bin/moesim").string(), "run", file, "-o", result};
  for (const std::string& assignment : assignments)
    run.insert(run.end(), {"--set", assignment});
  const std::vector<std::string> floor{(build / "benchmarks/simgrid_floor").string(),
                                       "--gpus",
                                       fmt::format("{}", graph.rank_count()),
                                       "--execs",
                                       fmt::format("{}", kernels),
                                       "--comms",
                                       fmt::format("{}", flows)};
  std::vector<Usage> runs;
  std::vector<Usage> floors;
  for (std::size_t round = 0; round < repeat; ++round) {
    runs.push_back(measure(run));
    floors.push_back(measure(floor));
  }
  std::filesystem::remove(result);

  fmt::print("{} GPUs, {} kernels, {} flows, {} tasks in {} bytes of graph ({:.1f} a task); medians of {}\n",
             graph.rank_count(), kernels, flows, graph.task_count(), graph.memory_footprint(),
             static_cast<double>(graph.memory_footprint()) / static_cast<double>(graph.task_count()), repeat);
  fmt::print("{:<30} {:>8} {:>8} {:>12} {:>10}\n", "", "CPU s", "wall s", "per CPU s", "peak MiB");
  print("bare SimGrid", median(floors), kernels + flows);
  print("moesim run, result included", median(runs), kernels + flows);
  fmt::print("ratio of CPU time: {:.2f} (aim: at most 1.5)\n", median(runs).cpu_seconds / median(floors).cpu_seconds);
  return 0;
}
