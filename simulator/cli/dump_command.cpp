#include <memory>

#include <fmt/format.h>

#include "simulator/cli/commands.hpp"
#include "simulator/run/simulate.hpp"

namespace moesim::cli {
namespace {

struct DumpOptions {
  std::string what;
  std::string scenario;
  std::vector<std::string> assignments;
};

void dump_graph(const scenario::Scenario& scenario) {
  const graph::TaskGraph graph = run::task_graph(scenario);
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    fmt::print("{}\n", graph::describe(graph, TaskId(task)));
}

void dump(const DumpOptions& options) {
  const scenario::Scenario scenario = scenario::load(options.scenario, options.assignments);
  if (options.what == "graph")
    dump_graph(scenario);
  else if (options.what == "layout")
    fmt::print("{}", workloads::describe(workloads::Layout(scenario.job().sizes, scenario.rank_order)));
  else if (options.what == "classes")
    fmt::print("{}", folding::describe(run::fold(scenario)));
  else if (options.what == "schedule")
    fmt::print("{}", scenario.is_training() ? schedulers::describe(workloads::pipeline_order(scenario.training_job()))
                                            : workloads::describe_passes(scenario.inference_job()));
  else
    fmt::print("{}", platforms::describe(scenario.cluster));
}

} // namespace

void add_dump(CLI::App& app, int&) {
  const auto options = std::make_shared<DumpOptions>();
  CLI::App* command =
      app.add_subcommand("dump", "Print one line per task, rank and group, class of ranks, stage, or link");
  command->add_option("what", options->what, "graph, layout, classes, schedule or platform")
      ->required()
      ->check(CLI::IsMember({"graph", "layout", "classes", "schedule", "platform"}));
  command->add_option("scenario", options->scenario, "Scenario file (YAML)")->required();
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([options] { dump(*options); });
}

} // namespace moesim::cli
