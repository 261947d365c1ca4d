#include <algorithm>
#include <charconv>
#include <memory>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "analysis/gantt_svg.hpp"
#include "analysis/gantt_trace.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/record/gzip.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

struct GanttCommandOptions {
  std::string result;
  std::string output;
  std::string ranks;
};

std::uint32_t rank_of(std::string_view text, std::size_t world_size) {
  std::uint32_t rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc() || end != text.data() + text.size() || rank >= world_size)
    throw CLI::ValidationError("--ranks", fmt::format("'{}' is not a rank of this run; ranks are 0 to {}, written as "
                                                      "0,8,16-23",
                                                      text, world_size - 1));
  return rank;
}

// "0,8,16-19" as 0, 8, 16, 17, 18, 19.
std::vector<std::uint32_t> parse_ranks(const std::string& text, std::size_t world_size) {
  std::vector<std::uint32_t> ranks;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const std::size_t dash = item.find('-');
    const std::string_view view = item;
    const std::uint32_t first = rank_of(view.substr(0, dash), world_size);
    const std::uint32_t last = dash == std::string::npos ? first : rank_of(view.substr(dash + 1), world_size);
    if (last < first)
      throw CLI::ValidationError("--ranks", fmt::format("'{}' goes down; write {}-{}", item, last, first));
    for (std::uint32_t rank = first; rank <= last; ++rank)
      if (std::ranges::find(ranks, rank) == ranks.end())
        ranks.push_back(rank);
  }
  return ranks;
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

void gantt(const GanttCommandOptions& command) {
  const bool is_trace = command.output.ends_with(".json") || command.output.ends_with(".json.gz");
  if (!is_trace && !command.output.ends_with(".svg"))
    throw CLI::ValidationError("-o", fmt::format("'{}' ends in neither .svg (a picture) nor .json or .json.gz (for "
                                                 "Perfetto)",
                                                 command.output));
  record::check_writable(command.output);
  const record::RunRecord run = record::read(command.result);
  analysis::GanttOptions options;
  options.ranks = parse_ranks(command.ranks, run.ranks.size());
  if (is_trace) {
    write_trace(run, options, command.output);
  } else {
    const std::string picture = analysis::gantt_svg(run, options);
    record::replace_file(command.output, std::as_bytes(std::span(picture)));
  }
  fmt::print("wrote {}\n", command.output);
}

} // namespace

void add_gantt(CLI::App& app, int&) {
  const auto options = std::make_shared<GanttCommandOptions>();
  CLI::App* command = app.add_subcommand("gantt", "Draw the timeline of a result file");
  command->add_option("result", options->result, "Result file that `moesim run -o` wrote")->required();
  command
      ->add_option(
          "-o,--output", options->output,
          "FILE.svg: a picture; FILE.json or FILE.json.gz: a trace for https://ui.perfetto.dev or chrome://tracing")
      ->required();
  command->add_option("--ranks", options->ranks, "Ranks to show, such as 0,8,16-23 (default: one of each stage)");
  command->callback([options] { gantt(*options); });
}

} // namespace moesim::cli
