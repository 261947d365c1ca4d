#include "simulator/cli/schedule_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/gantt_text.hpp"
#include "simulator/base/format.hpp"

namespace moesim::cli {
namespace {

// What each stage computes. Passes that run together share their time.
std::vector<double> work_of_stages(const run::TimedSchedule& schedule) {
  std::vector<double> work;
  for (std::size_t stage = 0; stage < schedule.order.size(); ++stage) {
    double sum = 0;
    bool is_counted = false;
    for (std::size_t at = 0; at < schedule.order[stage].size(); ++at) {
      const schedulers::PassTime& time = schedule.timeline.passes[stage][at];
      sum += is_counted ? 0 : time.end - time.start;
      is_counted = schedule.order[stage][at].with_next;
    }
    work.push_back(sum);
  }
  return work;
}

std::string count(std::int64_t number, const char* one, const char* several) {
  return fmt::format("{} {}", format_count(number), number == 1 ? one : several);
}

std::string stage_lines(const run::TimedSchedule& schedule) {
  const std::vector<double> work = work_of_stages(schedule);
  std::string text = fmt::format("\n{:>7}{:>12}{:>12}{:>18}\n", "stage", "work", "idle", "peak activations");
  for (std::size_t stage = 0; stage < work.size(); ++stage)
    text += fmt::format("{:>7}{:>12.6g}{:>12.6g}{:>18.6g}\n", stage, work[stage],
                        schedule.timeline.makespan - work[stage], schedule.timeline.peak_activations[stage]);
  return text;
}

// A record of millions of passes is not made to find out that they do not fit.
std::string picture(const run::TimedSchedule& schedule, std::size_t columns, analysis::Colour colour) {
  const auto longest = std::ranges::max(schedule.order, {}, [](const auto& passes) { return passes.size(); }).size();
  if (longest <= columns)
    if (const auto text = analysis::gantt_text(run::schedule_record(schedule), columns, colour))
      return "\n" + *text;
  return fmt::format("\nToo long to draw in {} columns; -o FILE.svg draws it.\n", columns);
}

} // namespace

std::string to_json(const run::TimedSchedule& schedule) {
  const std::vector<double> work = work_of_stages(schedule);
  std::vector<double> idle;
  for (const double busy : work)
    idle.push_back(schedule.timeline.makespan - busy);
  return nlohmann::ordered_json{
      {"name", schedule.name},
      {"stages", schedule.shape.stages},
      {"microbatches", schedule.shape.micro_batches},
      {"chunks", schedule.shape.chunks},
      {"makespan", schedule.timeline.makespan},
      {"stage_span", schedule.timeline.stage_span},
      {"bubble_fraction", schedule.timeline.bubble_fraction},
      {"peak_activations", schedule.timeline.peak_activations},
      {"work", work},
      {"idle", idle},
  }
      .dump(2);
}

std::string to_text(const run::TimedSchedule& schedule, std::size_t columns, analysis::Colour colour) {
  const schedulers::PassTimeline& timeline = schedule.timeline;
  std::string text =
      fmt::format("{}: {}, {}, {} a stage\n", schedule.name, count(schedule.shape.stages, "stage", "stages"),
                  count(schedule.shape.micro_batches, "micro-batch", "micro-batches"),
                  count(schedule.shape.chunks, "chunk", "chunks"));
  text += fmt::format("  makespan     {:.6g}\n", timeline.makespan);
  text += fmt::format("  window       {:.6g}  (the longest from a stage's first start to its last end)\n",
                      timeline.stage_span);
  text += fmt::format("  bubble       {:.2f} %\n", 100 * timeline.bubble_fraction);
  text += stage_lines(schedule);
  return text + picture(schedule, columns, colour);
}

} // namespace moesim::cli
