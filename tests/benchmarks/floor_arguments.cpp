// Prints the options with which simgrid_floor runs as many Execs and Comms, on as many GPUs, as a scenario has when
// each of its GPUs is simulated (by simulation.network: flow, a Comm for each pair in each step).
//
//   floor_arguments SCENARIO [--set path=value]...
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/cost/cost_table.hpp"
#include "simulator/run/simulate.hpp"

int main(int argc, char** argv) try {
  CLI::App app("Prints the options with which simgrid_floor does as much as a scenario");
  std::string file;
  std::vector<std::string> assignments;
  app.add_option("scenario", file)->required();
  app.add_option("--set", assignments)->take_all()->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);

  const moesim::scenario::Scenario scenario = moesim::scenario::load(file, assignments);
  const moesim::graph::TaskGraph graph = moesim::run::task_graph(scenario);
  const moesim::execution::Costs costs = moesim::cost::cost_table(graph, scenario.cluster, scenario.network);
  std::size_t kernels = 0;
  std::size_t flows = 0;
  for (std::size_t task = 0; task < graph.task_count(); ++task) {
    if (graph.tasks()[task].kind == moesim::graph::Kind::Compute)
      ++kernels;
    else
      moesim::execution::for_each_wave(
          costs.communications[costs.of_task[task]],
          [&](moesim::Seconds, const auto& of_wave, std::uint32_t times) { flows += of_wave.size() * times; });
  }
  fmt::print("--gpus {} --execs {} --comms {}\n", graph.rank_count(), kernels, flows);
  return 0;
} catch (const moesim::InputError& error) {
  std::fputs(error.what(), stderr);
  return 2;
}
