#include "simulator/cli/picture.hpp"

#include <span>
#include <string_view>

#include <fmt/format.h>

#include "analysis/gantt_page.hpp"
#include "analysis/gantt_svg.hpp"
#include "analysis/gantt_trace.hpp"
#include "simulator/record/gzip.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

bool is_trace(std::string_view output) {
  return output.ends_with(".json") || output.ends_with(".json.gz");
}

// Streams the trace to the disk: it can be larger than the memory.
void write_trace(const record::RunRecord& run, const analysis::GanttOptions& options, const std::string& path) {
  record::FileReplacement file(path);
  const record::ByteSink to_file = [&](std::span<const std::byte> bytes) { file.append(bytes); };
  if (path.ends_with(".gz")) {
    record::Gzip gzip(to_file);
    analysis::write_gantt_trace(run, options,
                                [&](std::string_view text) { gzip.append(std::as_bytes(std::span(text))); });
    gzip.finish();
  } else {
    analysis::write_gantt_trace(run, options, [&](std::string_view text) { to_file(std::as_bytes(std::span(text))); });
  }
  file.finish();
}

} // namespace

void add_width(CLI::App& command, double& width) {
  command
      .add_option("--width", width,
                  "Width of a picture in pixels, of which 96 are an inch (320: a column of a paper; default: 1200)")
      ->check(CLI::Range(300.0, 20000.0));
}

void check_picture(const std::string& output) {
  if (!is_trace(output) && !output.ends_with(".svg") && !output.ends_with(".html"))
    throw CLI::ValidationError("-o", fmt::format("'{}' ends in none of .html (an interactive page), .svg (a picture), "
                                                 ".json and .json.gz (for Perfetto)",
                                                 output));
  record::check_writable(output);
}

void write_picture(const std::string& output, const record::RunRecord& run, const analysis::GanttOptions& options) {
  if (is_trace(output))
    return write_trace(run, options, output);
  const bool is_page = output.ends_with(".html");
  const std::string picture = is_page ? analysis::gantt_page(run, options) : analysis::gantt_svg(run, options);
  if (is_page)
    analysis::check_page_size(run, picture.size());
  record::replace_file(output, std::as_bytes(std::span(picture)));
}

} // namespace moesim::cli
