#include <memory>
#include <span>

#include <fmt/format.h>

#include "analysis/expert_svg.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/picture.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

struct ExpertsOptions {
  std::string result;
  std::string output;
  double width = 1200;
};

void draw_experts(const ExpertsOptions& options) {
  if (!options.output.ends_with(".svg"))
    throw CLI::ValidationError("-o", fmt::format("'{}' does not end in .svg", options.output));
  const record::RunRecord run = record::read(options.result);
  record::check_writable(options.output);
  if (run.experts.tokens.empty())
    throw InputError({options.result}, "", "the model of this run has no experts; expected a run of one that has");
  const std::string picture = analysis::expert_svg(run, options.width);
  record::replace_file(options.output, std::as_bytes(std::span(picture)));
  fmt::print("wrote {}\n", options.output);
}

} // namespace

void add_experts(CLI::App& app, int&) {
  const auto options = std::make_shared<ExpertsOptions>();
  CLI::App* command = app.add_subcommand("experts", "Draw where the tokens of a result file went");
  command->add_option("result", options->result, "Result file that `moesim run -o` wrote")->required();
  command
      ->add_option("-o,--output", options->output,
                   "FILE.svg: tokens by expert and layer, and the load of ranks over time")
      ->required();
  add_width(*command, options->width);
  command->callback([options] { draw_experts(*options); });
}

} // namespace moesim::cli
