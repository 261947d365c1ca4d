#include <algorithm>
#include <memory>
#include <optional>
#include <regex>
#include <span>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/residual_svg.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/terminal.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/validation/report.hpp"
#include "simulator/validation/residuals.hpp"
#include "simulator/validation/validate.hpp"

namespace moesim::cli {
namespace {

struct ValidateOptions {
  std::vector<std::string> files;
  std::string aliases;
  std::string only;
  std::optional<double> bound;
  std::size_t workers = 0;
  bool json = false;
  bool csv = false;
  std::string output;
};

validation::Options checked(const ValidateOptions& options) {
  validation::Options result;
  result.files.assign(options.files.begin(), options.files.end());
  if (!options.aliases.empty())
    result.aliases = options.aliases;
  result.workers = options.workers != 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
  Problems problems;
  if (!options.only.empty()) {
    try {
      result.only.emplace(options.only);
    } catch (const std::regex_error&) {
      problems.add({"--only"}, "", "it is no regular expression; escape brackets, dots and signs with a backslash");
    }
  }
  if (options.bound && !(*options.bound >= 0))
    problems.add({"--bound"}, "", fmt::format("{} is no error; use a share such as 0.1", *options.bound));
  if (options.json && options.csv)
    problems.add({"--csv"}, "", "given with --json; choose one of the two");
  problems.throw_if_any();
  return result;
}

void check_output(const std::string& output) {
  if (!output.ends_with(".html") && !output.ends_with(".svg"))
    throw CLI::ValidationError("-o",
                               fmt::format("'{}' ends neither in .html (a page) nor in .svg (a picture)", output));
  record::check_writable(output);
}

void draw(const std::string& output, const std::vector<validation::FileReport>& reports) {
  constexpr double width = 1200; // pixels
  std::vector<analysis::ResidualPicture> pictures;
  for (const validation::FileReport& report : reports)
    pictures.push_back(validation::residuals_of(report));
  const std::string text =
      output.ends_with(".html") ? analysis::residual_page(pictures) : analysis::residual_svg(pictures, width);
  record::replace_file(output, std::as_bytes(std::span(text)));
}

// Nothing compared is not within any bound.
bool is_within(double bound, const validation::Summary& summary) {
  return summary.all && summary.all->mean_absolute_error <= bound;
}

int validate(const ValidateOptions& options) {
  const validation::Options checked_options = checked(options);
  if (!options.output.empty())
    check_output(options.output);
  std::vector<validation::FileReport> reports;
  {
    ProgressBar bar("validating");
    reports =
        validation::validate(checked_options, [&](std::size_t done, std::size_t total) { bar.show(done, total); });
  }
  if (!options.output.empty())
    draw(options.output, reports);
  int status = 0;
  std::vector<std::string> texts;
  for (const validation::FileReport& report : reports) {
    const validation::Summary summary = validation::summarize(report);
    texts.push_back(options.json ? to_json(report, summary) : to_text(report, summary));
    if (options.bound && !is_within(*options.bound, summary))
      status = 1;
  }
  if (options.csv)
    fmt::print("{}", validation::to_csv(reports));
  else if (options.json && texts.size() > 1)
    fmt::print("[{}]\n", fmt::join(texts, ",\n"));
  else
    fmt::print("{}{}", fmt::join(texts, "\n"), options.json ? "\n" : "");
  return status;
}

} // namespace

void add_validate(CLI::App& app, int& status) {
  const auto options = std::make_shared<ValidateOptions>();
  CLI::App* command = app.add_subcommand("validate", "Compare predictions with published measurements");
  command->add_option("file", options->files, "Files of measurements (YAML)")->required();
  command->add_option("--aliases", options->aliases,
                      "What models are called in the files (default: aliases.yaml beside each file)");
  command->add_option("--only", options->only, "Entries in whose id this regular expression is found");
  command->add_option("--bound", options->bound, "Exit with status 1 when a mean absolute error is above this share");
  command->add_option("-j,--jobs", options->workers, "Processes at a time (default: as many as processors)");
  command->add_option("-o,--output", options->output,
                      "Draw predicted over measured against size: FILE.html: a page; FILE.svg: a picture");
  command->add_flag("--json", options->json, "Print JSON instead of text (an array for several files)");
  command->add_flag("--csv", options->csv, "Print a line for each comparison");
  command->callback([options, &status] { status = validate(*options); });
}

} // namespace moesim::cli
