#include "simulator/cli/picture.hpp"

#include <filesystem>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "analysis/gantt_svg.hpp"
#include "analysis/gantt_trace.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {

void add_width(CLI::App& command, double& width) {
  command
      .add_option("--width", width,
                  "Width of a picture in pixels, of which 96 are an inch (320: a column of a paper; default: 1200)")
      ->check(CLI::Range(300.0, 20000.0));
}

void check_picture(const std::string& output) {
  const std::string ending = std::filesystem::path(output).extension();
  if (ending != ".svg" && ending != ".json")
    throw CLI::ValidationError("-o",
                               fmt::format("'{}' ends in neither .svg (a picture) nor .json (for Perfetto)", output));
  record::check_writable(output);
}

void write_picture(const std::string& output, const record::RunRecord& run, const analysis::GanttOptions& options) {
  std::string picture;
  if (std::filesystem::path(output).extension() == ".svg") {
    picture = analysis::gantt_svg(run, options);
  } else {
    std::ostringstream trace;
    analysis::write_gantt_trace(run, options, trace);
    picture = trace.str();
  }
  record::replace_file(output, std::as_bytes(std::span(picture)));
}

} // namespace moesim::cli
