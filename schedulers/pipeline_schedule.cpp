#include "schedulers/pipeline_schedule.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "schedulers/gpipe.hpp"
#include "schedulers/one_forward_one_backward.hpp"
#include "simulator/base/check.hpp"

namespace moesim::schedulers {

namespace {

std::string any_shape(const ScheduleShape&) {
  return {};
}

} // namespace

const std::vector<PipelineSchedule>& schedules() {
  static const std::vector<PipelineSchedule> all{
      {.name = "1f1b",
       .description = "one forward, one backward; arXiv 2006.09503",
       .bubble = "(p-1)/(m+p-1)",
       .order = one_forward_one_backward,
       .refusal = any_shape},
      {.name = "gpipe",
       .description = "all forwards, then all backwards; arXiv 1811.06965",
       .bubble = "(p-1)/(m+p-1)",
       .order = gpipe,
       .refusal = any_shape},
  };
  return all;
}

std::vector<std::string_view> schedule_names() {
  std::vector<std::string_view> names;
  std::ranges::transform(schedules(), std::back_inserter(names), &PipelineSchedule::name);
  return names;
}

const PipelineSchedule& find_schedule(std::string_view name) {
  const auto found = std::ranges::find(schedules(), name, &PipelineSchedule::name);
  MOESIM_CHECK(found != schedules().end(), "the reader accepts only known schedules");
  return *found;
}

std::string refusal(const PipelineSchedule& schedule, const ScheduleShape& shape) {
  if (schedule.chunks == 0 && shape.chunks < 2)
    return fmt::format("{} runs at least 2 chunks a stage, not {}; use 2 or more", schedule.name, shape.chunks);
  if (schedule.chunks != 0 && shape.chunks != schedule.chunks)
    return fmt::format("{} runs {} a stage, not {}; use {}", schedule.name,
                       schedule.chunks == 1 ? "1 chunk" : fmt::format("{} chunks", schedule.chunks), shape.chunks,
                       schedule.chunks);
  return schedule.refusal(shape);
}

std::string describe(const PipelinePass& pass, bool has_chunks) {
  constexpr std::array<char, 4> letters{'F', 'B', 'B', 'W'};
  const char letter = letters[static_cast<std::size_t>(pass.kind)];
  return has_chunks ? fmt::format("{}{}.{}", letter, pass.micro_batch, pass.chunk)
                    : fmt::format("{}{}", letter, pass.micro_batch);
}

std::string describe(const PipelineOrder& order) {
  bool has_chunks = false;
  for (const std::vector<PipelinePass>& passes : order)
    has_chunks = has_chunks || std::ranges::any_of(passes, [](const PipelinePass& pass) { return pass.chunk > 0; });
  std::string text;
  for (std::size_t stage = 0; stage < order.size(); ++stage) {
    text += fmt::format("stage {}:", stage);
    bool joins = false;
    for (const PipelinePass& pass : order[stage]) {
      text += (joins ? "&" : " ") + describe(pass, has_chunks);
      joins = pass.with_next;
    }
    text += '\n';
  }
  return text;
}

} // namespace moesim::schedulers
