#include <memory>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "analysis/topology_svg.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/record/routing_file.hpp"
#include "simulator/run/simulate.hpp"
#include "workloads/routing_sample.hpp"

namespace moesim::cli {
namespace {

struct DumpOptions {
  std::string what;
  std::string scenario;
  std::string output; // a picture of the platform, or a table of the routing; empty: none
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

bool is_table(const std::string& output) {
  return output.ends_with(".csv");
}

void dump_routing(const scenario::Scenario& scenario, const std::string& output) {
  if (!scenario.job().model.moe)
    throw InputError({scenario.file}, "model", "has no experts to route tokens to; expected a mixture of experts");
  const workloads::RoutingTrace trace =
      std::visit([](const auto& job) { return workloads::routing_sample(job); }, scenario.work);
  if (output.empty() || is_table(output)) {
    const std::string table = to_csv(trace);
    if (output.empty())
      return fmt::print("{}", table);
    record::replace_file(output, std::as_bytes(std::span(table)));
  } else {
    record::write(trace, output);
  }
  fmt::print("wrote {}\n", output);
}

// Throws CLI::ValidationError when the options do not go together, ResultFileError when the file cannot be written.
void check_output(const DumpOptions& options) {
  if (options.output.empty())
    return;
  const bool is_platform = options.what == "platform";
  if (!is_platform && options.what != "routing")
    throw CLI::ValidationError("-o",
                               fmt::format("draws a platform or stores routing; {} is only printed", options.what));
  if (is_platform && !options.output.ends_with(".svg"))
    throw CLI::ValidationError("-o", fmt::format("'{}' does not end in .svg", options.output));
  if (!is_platform && !is_table(options.output) && !options.output.ends_with(".h5"))
    throw CLI::ValidationError("-o", fmt::format("'{}' ends neither in .csv nor in .h5", options.output));
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
  else if (options.what == "routing")
    dump_routing(scenario, options.output);
  else if (options.output.empty())
    fmt::print("{}", platforms::describe(scenario.cluster));
  else
    draw_platform(scenario.cluster, options.output);
}

} // namespace

void add_dump(CLI::App& app, int&) {
  const auto options = std::make_shared<DumpOptions>();
  CLI::App* command = app.add_subcommand(
      "dump", "Print one line per task, rank and group, class of ranks, stage, expert and layer, or link");
  command->add_option("what", options->what, "graph, layout, classes, schedule, routing or platform")
      ->required()
      ->check(CLI::IsMember({"graph", "layout", "classes", "schedule", "routing", "platform"}));
  command->add_option("scenario", options->scenario, "Scenario file (YAML)")->required();
  command->add_option(
      "-o,--output", options->output,
      "FILE.svg: draw the platform instead: nodes, switches, bandwidth of each tier, hops, bisection; FILE.csv or "
      "FILE.h5: store the routing, as a trace to replay");
  command->add_option("--set", options->assignments, "Replace a field: path.to.field=value (any YAML value)")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([options] { dump(*options); });
}

} // namespace moesim::cli
