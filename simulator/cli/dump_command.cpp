#include <memory>
#include <span>

#include <fmt/format.h>

#include "analysis/topology_svg.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/run/simulate.hpp"

namespace moesim::cli {
namespace {

struct DumpOptions {
  std::string what;
  std::string scenario;
  std::string output; // a picture of the platform; empty: none
  std::vector<std::string> assignments;
};

void dump_graph(const scenario::Scenario& scenario) {
  const graph::TaskGraph graph = run::task_graph(scenario);
  for (std::uint32_t task = 0; task < graph.task_count(); ++task)
    fmt::print("{}\n", graph::describe(graph, TaskId(task)));
}

void draw_platform(const platforms::Cluster& cluster, const std::string& output) {
  const std::string picture = analysis::topology_svg(cluster);
  record::replace_file(output, std::as_bytes(std::span(picture)));
}

// Throws CLI::ValidationError when the options do not go together, ResultFileError when the file cannot be written.
void check_output(const DumpOptions& options) {
  if (options.output.empty())
    return;
  if (options.what != "platform")
    throw CLI::ValidationError("-o", fmt::format("draws a platform; {} is only printed", options.what));
  if (!options.output.ends_with(".svg"))
    throw CLI::ValidationError("-o", fmt::format("'{}' does not end in .svg", options.output));
  record::check_writable(options.output);
}

void dump(const DumpOptions& options) {
  check_output(options);
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
  else if (options.output.empty())
    fmt::print("{}", platforms::describe(scenario.cluster));
  else
    draw_platform(scenario.cluster, options.output);
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
  command->add_option("-o,--output", options->output,
                      "FILE.svg: draw the platform instead: nodes, switches, bandwidth of each tier, hops, bisection");
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([options] { dump(*options); });
}

} // namespace moesim::cli
