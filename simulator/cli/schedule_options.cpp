#include "simulator/cli/schedule_options.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schedulers/custom_order.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/config/source_text.hpp"

namespace moesim::cli {
namespace {

constexpr double most_passes = 1e7; // some seconds
constexpr double longest = 1e12;    // of a cost: sums of 1e7 of them are still exact to 1e-9

const schedulers::PipelineSchedule& schedule_named(const std::string& name) {
  std::vector<std::string> names{std::string(schedulers::custom_schedule_name)};
  for (const std::string_view known : schedulers::schedule_names())
    names.emplace_back(known);
  if (std::ranges::count(schedulers::schedule_names(), name) > 0)
    return schedulers::find_schedule(name);
  const auto near = config::nearest(name, names);
  throw CLI::ValidationError("name", fmt::format("unknown schedule '{}'; {}", config::shown(name),
                                                 near ? fmt::format("did you mean '{}'?", *near)
                                                      : fmt::format("expected one of {}", fmt::join(names, ", "))));
}

void check_count(const char* option, std::int64_t count, std::int64_t least) {
  if (count < least)
    throw CLI::ValidationError(option, fmt::format("{} is too few; use {} or more", count, least));
}

void check_cost(const char* option, double cost) {
  if (!(cost >= 0 && cost <= longest)) // also when it is no number
    throw CLI::ValidationError(option, fmt::format("{:g} is no time; use 0 to {:g}", cost, longest));
}

void check_size(const schedulers::ScheduleShape& shape) {
  check_count("--stages", shape.stages, 1);
  check_count("--microbatches", shape.micro_batches, 1);
  if (shape.chunks > schedulers::most_chunks)
    throw CLI::ValidationError("--chunks",
                               fmt::format("{} is too many; use {} at most", shape.chunks, schedulers::most_chunks));
  const double passes =
      static_cast<double>(shape.stages) * static_cast<double>(shape.micro_batches) * static_cast<double>(shape.chunks);
  if (passes > most_passes)
    throw CLI::ValidationError(
        "--microbatches",
        fmt::format("stages x micro-batches x chunks is {:.3g}; use {:g} at most", passes, most_passes));
}

void check_costs(const ScheduleOptions& options) {
  check_cost("--forward", options.costs.forward);
  check_cost("--backward-input", options.costs.backward_input);
  check_cost("--backward-weight", options.costs.backward_weight);
  check_cost("--p2p", options.transfer);
  if (options.costs.forward + options.costs.backward() == 0)
    throw CLI::ValidationError("--forward", "no pass takes any time; give one a cost above 0");
}

// With the sizes that `options` give, or else these.
schedulers::ScheduleShape shape_of(const ScheduleOptions& options, const schedulers::ScheduleShape& otherwise) {
  check_count("--chunks", options.chunks, 0);
  check_count("--max-in-flight", options.max_in_flight, 0);
  schedulers::ScheduleShape shape;
  shape.stages = options.stages != 0 ? options.stages : otherwise.stages;
  shape.micro_batches = options.micro_batches != 0 ? options.micro_batches : otherwise.micro_batches;
  shape.chunks = options.chunks != 0 ? options.chunks : otherwise.chunks;
  check_size(shape);
  shape.costs.assign(static_cast<std::size_t>(shape.stages), options.costs);
  shape.transfer = options.transfer;
  shape.max_in_flight = options.max_in_flight;
  return shape;
}

run::TimedSchedule timed(std::string_view name, schedulers::PipelineOrder order, const schedulers::Chunks& chunks,
                         schedulers::ScheduleShape shape) {
  schedulers::PassTimeline timeline = schedulers::time_passes(order, chunks, shape);
  return {std::string(name), std::move(order), chunks, std::move(shape), std::move(timeline)};
}

schedulers::PipelineOrder read_order(const std::string& file) {
  const bool is_table = std::filesystem::path(file).extension() == ".csv";
  const std::string text = config::checked_text(config::read_file(file), {file});
  schedulers::CustomOrder read = is_table ? schedulers::parse_order_table(text) : schedulers::parse_order(text);
  Problems problems;
  for (const schedulers::LineProblem& problem : read.problems)
    problems.add({file, problem.line, 1}, "", problem.message);
  if (read.problems.empty() && read.order.empty())
    problems.add({file}, "", "there is no pass; write a line for each stage, such as F0 F1 B0 B1");
  problems.throw_if_any();
  return std::move(read.order);
}

schedulers::ScheduleShape size_of(const schedulers::PipelineOrder& order) {
  schedulers::ScheduleShape shape{.stages = static_cast<std::int64_t>(order.size())};
  for (const std::vector<schedulers::PipelinePass>& passes : order)
    for (const schedulers::PipelinePass& pass : passes) {
      shape.micro_batches = std::max<std::int64_t>(shape.micro_batches, pass.micro_batch + std::int64_t{1});
      shape.chunks = std::max<std::int64_t>(shape.chunks, pass.chunk + std::int64_t{1});
    }
  return shape;
}

run::TimedSchedule custom_schedule(const ScheduleOptions& options) {
  schedulers::PipelineOrder order = read_order(options.order_file);
  schedulers::ScheduleShape shape = shape_of(options, size_of(order));
  const schedulers::Chunks chunks{schedulers::ChunkPlacement::Loop, shape.stages, shape.chunks};
  Problems problems;
  for (const std::string& problem : schedulers::problems(order, chunks, shape))
    problems.add({options.order_file}, "", problem);
  problems.throw_if_any();
  return timed(schedulers::custom_schedule_name, std::move(order), chunks, std::move(shape));
}

run::TimedSchedule known_schedule(const ScheduleOptions& options) {
  const schedulers::PipelineSchedule& schedule = schedule_named(options.name);
  schedulers::ScheduleShape shape =
      shape_of(options, {.stages = 0, .micro_batches = 0, .chunks = schedule.chunks == 0 ? 2 : schedule.chunks});
  if (const std::string reason = schedulers::refusal(schedule, shape); !reason.empty())
    throw CLI::ValidationError("name", reason);
  const schedulers::Chunks chunks{schedule.placement, shape.stages, shape.chunks};
  schedulers::PipelineOrder order = schedule.order(shape);
  return timed(schedule.name, std::move(order), chunks, std::move(shape));
}

} // namespace

run::TimedSchedule timed_schedule(const ScheduleOptions& options) {
  check_costs(options);
  const bool is_custom = options.name == schedulers::custom_schedule_name;
  if (is_custom && options.order_file.empty())
    throw CLI::ValidationError("--order", "a custom schedule is a file; give --order FILE");
  if (!is_custom && !options.order_file.empty())
    throw CLI::ValidationError("--order", fmt::format("{} has an order of its own; the file is for the schedule '{}'",
                                                      config::shown(options.name), schedulers::custom_schedule_name));
  return is_custom ? custom_schedule(options) : known_schedule(options);
}

} // namespace moesim::cli
