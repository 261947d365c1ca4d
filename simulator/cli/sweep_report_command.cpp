#include <memory>
#include <span>

#include <fmt/format.h>

#include "analysis/sweep_page.hpp"
#include "analysis/sweep_svg.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/picture.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/record/sweep_table.hpp"

namespace moesim::cli {
namespace {

struct ReportOptions {
  std::string folder;
  std::string output;
  double width = 1200;
};

void report(const ReportOptions& options) {
  const bool is_page = options.output.ends_with(".html");
  if (!is_page && !options.output.ends_with(".svg"))
    throw CLI::ValidationError(
        "-o", fmt::format("'{}' ends neither in .html (an interactive page) nor in .svg (a picture)", options.output));
  const std::filesystem::path file = std::filesystem::path(options.folder) / "sweep.h5";
  if (!std::filesystem::exists(file))
    throw InputError(
        {options.folder}, "",
        "there is no sweep.h5 here; expected the folder of a sweep that is complete (moesim sweep --status "
        "says how far it is, --resume goes on with it)");
  const record::SweepTable table = record::read_sweep_table(file);
  record::check_writable(options.output);
  const std::vector<analysis::SweepFigure> figures = analysis::sweep_figures(table);
  if (figures.empty())
    throw InputError({options.folder}, "",
                     "no point of this sweep was simulated and fits into memory; expected at least one");
  const std::string text =
      is_page ? analysis::sweep_page(table) : analysis::sweep_svg(table, figures.front(), options.width);
  record::replace_file(options.output, std::as_bytes(std::span(text)));
  fmt::print("wrote {}\n", options.output);
}

} // namespace

void add_sweep_report(CLI::App& app, int&) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("sweep-report", "Draw what a sweep found");
  command->add_option("folder", options->folder, "Folder of a complete sweep")->required();
  command->add_option("-o,--output", options->output, "FILE.html: an interactive page; FILE.svg: a picture")
      ->required();
  add_width(*command, options->width);
  command->callback([options] { report(*options); });
}

} // namespace moesim::cli
