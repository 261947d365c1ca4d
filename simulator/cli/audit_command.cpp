#include <memory>
#include <span>

#include <fmt/format.h>

#include "simulator/audit/audit.hpp"
#include "simulator/cli/audit_text.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

struct AuditOptions {
  std::string scenario;
  std::string output;
  bool json = false;
  bool strict = false;
};

int audit(const AuditOptions& options) {
  if (!options.output.empty()) {
    if (!options.output.ends_with(".html"))
      throw CLI::ValidationError("-o", fmt::format("'{}' does not end in .html (a page)", options.output));
    record::check_writable(options.output);
  }
  audit::Audit result;
  {
    ProgressBar bar("simulating");
    result = audit::audit(options.scenario, processors(), [&](const pool::Progress& progress) {
      bar.show(progress.done + progress.refused + progress.failed, progress.total);
    });
  }
  if (!options.output.empty()) {
    const std::string page = audit::page(result);
    record::replace_file(options.output, std::as_bytes(std::span(page)));
  }
  fmt::print("{}", options.json ? audit::to_json(result) + "\n" : audit_text(result));
  if (!options.output.empty() && !options.json)
    fmt::print("wrote {}\n", options.output);
  return options.strict && !result.holds() ? 1 : 0;
}

} // namespace

void add_audit(CLI::App& app, int& status) {
  const auto options = std::make_shared<AuditOptions>();
  CLI::App* command =
      app.add_subcommand("audit", "Compare what a document claims with its own figures and simulations");
  command->add_option("scenario", options->scenario, "Scenario file (YAML) with claims")->required();
  command->add_option("-o,--output", options->output, "FILE.html: the same as a page");
  command->add_flag("--json", options->json, "Print JSON instead of text");
  command->add_flag("--strict", options->strict,
                    "Exit with status 1 when a claim is neither consistent nor not-checkable");
  command->callback([options, &status] { status = audit(*options); });
}

} // namespace moesim::cli
