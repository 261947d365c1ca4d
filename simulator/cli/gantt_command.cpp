#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/cli/commands.hpp"
#include "simulator/cli/picture.hpp"
#include "simulator/cli/quantity_option.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::cli {
namespace {

struct GanttCommandOptions {
  std::string result;
  std::string output;
  std::string ranks;
  double width = analysis::GanttOptions().width;
  std::string from;
  std::string to;
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

void read_window(const GanttCommandOptions& command, double makespan, analysis::GanttOptions& options) {
  if (!command.from.empty())
    options.from = time_option("--from", command.from).value();
  if (!command.to.empty())
    options.to = time_option("--to", command.to).value();
  if (options.from >= options.to)
    throw CLI::ValidationError("--from", fmt::format("{} is not before --to {}", command.from, command.to));
  if (options.from > 0 && options.from >= makespan)
    throw CLI::ValidationError("--from", fmt::format("{} is not before the end of the run, {}", command.from,
                                                     format_seconds(Seconds(makespan))));
}

void gantt(const GanttCommandOptions& command) {
  check_picture(command.output);
  const record::RunRecord run = record::read(command.result);
  analysis::GanttOptions options;
  options.ranks = parse_ranks(command.ranks, run.ranks.size());
  read_window(command, run.figures.makespan, options);
  options.width = command.width;
  write_picture(command.output, run, options);
  fmt::print("wrote {}\n", command.output);
}

} // namespace

void add_gantt(CLI::App& app, int&) {
  const auto options = std::make_shared<GanttCommandOptions>();
  CLI::App* command = app.add_subcommand("gantt", "Draw the timeline of a result file");
  command->add_option("result", options->result, "Result file that `moesim run -o` wrote")->required();
  command->add_option("-o,--output", options->output, picture_formats)->required();
  command->add_option("--ranks", options->ranks, "Ranks to show, such as 0,8,16-23 (default: one of each stage)");
  command->add_option("--from", options->from, "Show the time from here, such as 10ms (default: the start)");
  command->add_option("--to", options->to, "Show the time up to here, such as 20ms (default: the end)");
  add_width(*command, options->width);
  command->callback([options] { gantt(*options); });
}

} // namespace moesim::cli
