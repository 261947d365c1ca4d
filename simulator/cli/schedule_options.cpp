#include "simulator/cli/schedule_options.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::cli {
namespace {

constexpr double most_passes = 1e7; // some seconds
constexpr std::int64_t most_chunks = 256;
constexpr double longest = 1e12; // of a cost: sums of 1e7 of them are still exact to 1e-9

const schedulers::PipelineSchedule& schedule_named(const std::string& name) {
  std::vector<std::string> names;
  for (const std::string_view known : schedulers::schedule_names())
    names.emplace_back(known);
  if (std::ranges::find(names, name) != names.end())
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

void check(const ScheduleOptions& options) {
  check_count("--stages", options.stages, 1);
  check_count("--microbatches", options.micro_batches, 1);
  check_count("--chunks", options.chunks, 0);
  check_count("--max-in-flight", options.max_in_flight, 0);
  if (options.chunks > most_chunks)
    throw CLI::ValidationError("--chunks", fmt::format("{} is too many; use {} at most", options.chunks, most_chunks));
  const double passes = static_cast<double>(options.stages) * static_cast<double>(options.micro_batches) *
                        static_cast<double>(std::max<std::int64_t>(options.chunks, 1));
  if (passes > most_passes)
    throw CLI::ValidationError(
        "--microbatches",
        fmt::format("stages x micro-batches x chunks is {:.3g}; use {:g} at most", passes, most_passes));
  check_cost("--forward", options.costs.forward);
  check_cost("--backward-input", options.costs.backward_input);
  check_cost("--backward-weight", options.costs.backward_weight);
  check_cost("--p2p", options.transfer);
  if (options.costs.forward + options.costs.backward() == 0)
    throw CLI::ValidationError("--forward", "no pass takes any time; give one a cost above 0");
}

} // namespace

run::TimedSchedule timed_schedule(const ScheduleOptions& options) {
  const schedulers::PipelineSchedule& schedule = schedule_named(options.name);
  check(options);
  const std::int64_t own_chunks = schedule.chunks == 0 ? 2 : schedule.chunks;
  schedulers::ScheduleShape shape;
  shape.stages = options.stages;
  shape.micro_batches = options.micro_batches;
  shape.chunks = options.chunks > 0 ? options.chunks : own_chunks;
  shape.costs.assign(static_cast<std::size_t>(options.stages), options.costs);
  shape.transfer = options.transfer;
  shape.max_in_flight = options.max_in_flight;
  if (const std::string reason = schedulers::refusal(schedule, shape); !reason.empty())
    throw CLI::ValidationError("name", reason);
  const schedulers::Chunks chunks{schedule.placement, shape.stages, shape.chunks};
  schedulers::PipelineOrder order = schedule.order(shape);
  schedulers::PassTimeline timeline = schedulers::time_passes(order, chunks, shape);
  return {std::string(schedule.name), std::move(order), chunks, std::move(shape), std::move(timeline)};
}

} // namespace moesim::cli
