#include <memory>

#include <fmt/format.h>

#include "simulator/cli/commands.hpp"
#include "simulator/cli/picture.hpp"
#include "simulator/cli/schedule_options.hpp"
#include "simulator/cli/schedule_text.hpp"
#include "simulator/cli/terminal.hpp"

namespace moesim::cli {
namespace {

constexpr std::size_t columns = 120; // of the text picture

void draw(const run::TimedSchedule& schedule, const ScheduleOptions& options) {
  record::RunRecord record = run::schedule_record(schedule);
  record.figures.name = fmt::format("{}: {} stages, {} micro-batches", schedule.name, schedule.shape.stages,
                                    schedule.shape.micro_batches);
  analysis::GanttOptions picture;
  picture.width = options.width;
  picture.unit = analysis::TimeUnit::Arbitrary;
  write_picture(options.output, record, picture);
}

void schedule(const ScheduleOptions& options) {
  if (!options.output.empty())
    check_picture(options.output);
  const run::TimedSchedule schedule = timed_schedule(options);
  if (!options.output.empty())
    draw(schedule, options);
  if (options.json) {
    fmt::print("{}\n", to_json(schedule));
    return;
  }
  fmt::print("{}", to_text(schedule, columns, stdout_is_terminal() ? analysis::Colour::On : analysis::Colour::Off));
  if (!options.output.empty())
    fmt::print("wrote {}\n", options.output);
}

} // namespace

void add_schedule(CLI::App& app, int&) {
  const auto options = std::make_shared<ScheduleOptions>();
  options->width = analysis::GanttOptions().width;
  CLI::App* command = app.add_subcommand("schedule", "Time and draw a pipeline schedule by itself");
  command->add_option("name", options->name, "Name of the schedule, as `moesim list schedules` has it, or custom")
      ->required();
  command->add_option("--order", options->order_file,
                      "Of a custom schedule: a CSV of passes, or a text with a line for each stage (F0 F1 B0 B1)");
  command->add_option("--stages", options->stages, "Pipeline stages");
  command->add_option("--microbatches", options->micro_batches, "Micro-batches");
  command->add_option("--chunks", options->chunks, "Chunks of a stage (default: the schedule's own number, or 2)");
  command->add_option(
      "--forward", options->costs.forward,
      "Time of the forward of a micro-batch through a whole stage (default: 1; a chunk takes its share)");
  command->add_option("--backward-input", options->costs.backward_input,
                      "Time of the backward that gives the gradient of the input (default: 1)");
  command->add_option("--backward-weight", options->costs.backward_weight,
                      "Time of the backward that gives the gradient of the weights (default: 1)");
  command->add_option("--p2p", options->transfer,
                      "Delay from one stage to another, which occupies nothing (default: 0)");
  command->add_option("--max-in-flight", options->max_in_flight,
                      "Of zb-auto: micro-batches whose activations a stage may hold (default: the stages)");
  command->add_option("-o,--output", options->output, picture_formats);
  add_width(*command, options->width);
  command->add_flag("--json", options->json, "Print JSON instead of text");
  command->callback([options] { schedule(*options); });
}

} // namespace moesim::cli
