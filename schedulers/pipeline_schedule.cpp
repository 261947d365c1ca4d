#include "schedulers/pipeline_schedule.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "schedulers/dualpipe.hpp"
#include "schedulers/dualpipe_v.hpp"
#include "schedulers/gpipe.hpp"
#include "schedulers/interleaved_one_forward_one_backward.hpp"
#include "schedulers/one_forward_one_backward.hpp"
#include "schedulers/zero_bubble_auto.hpp"
#include "schedulers/zero_bubble_h1.hpp"
#include "schedulers/zero_bubble_h2.hpp"
#include "schedulers/zero_bubble_v.hpp"
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
       .can_fuse = true,
       .order = one_forward_one_backward,
       .refusal = any_shape},
      {.name = "dualpipe",
       .description =
           "two copies of the model, micro-batches from both ends, forward beside backward; arXiv 2412.19437",
       .bubble = "(p/2-1)(F+2B-W)/(m(F+B+W)+(p/2-1)(F+2B-W))",
       .placement = ChunkPlacement::Bidirectional,
       .chunks = 2,
       .can_fuse = true,
       .splits_backward = true,
       .order = dualpipe,
       .refusal = dualpipe_refusal},
      {.name = "dualpipe-v",
       .description = "half of dualpipe, folded: two chunks on the way there and back; github.com/deepseek-ai/DualPipe",
       .bubble = "(p-1)(F+2B-W)/(2m(F+B+W)+(p-1)(F+2B-W))",
       .placement = ChunkPlacement::V,
       .chunks = 2,
       .can_fuse = true,
       .splits_backward = true,
       .order = dualpipe_v,
       .refusal = dualpipe_v_refusal},
      {.name = "gpipe",
       .description = "all forwards, then all backwards; arXiv 1811.06965",
       .bubble = "(p-1)/(m+p-1)",
       .order = gpipe,
       .refusal = any_shape},
      {.name = "interleaved-1f1b",
       .description = "1f1b over v chunks of each stage, in groups of p micro-batches; arXiv 2104.04473",
       .bubble = "(p-1)/(vm+p-1)",
       .chunks = 0,
       .can_fuse = true,
       .order = interleaved_one_forward_one_backward,
       .refusal = any_shape},
      {.name = "zb-auto",
       .description =
           "the best of many orders for given costs, transfer time and memory; arXiv 2401.10241, section 3.1",
       .bubble = "at most that of zb-h1 in the same memory",
       .splits_backward = true,
       .order = zero_bubble_auto,
       .refusal = zero_bubble_auto_refusal},
      {.name = "zb-h1",
       .description = "1f1b with backwards of the weights delayed into the bubble, same memory; arXiv 2401.10241",
       .bubble = "(p-1)(F+B-W)/(m(F+B+W)+(p-1)(F+B-W))",
       .splits_backward = true,
       .order = zero_bubble_h1,
       .refusal = any_shape},
      {.name = "zb-h2",
       .description = "no bubble between first and last pass of a stage, twice the memory of 1f1b; arXiv 2401.10241",
       .bubble = "(p-1)F/(m(F+B+W)+(p-1)F), none between a stage's first pass and its last",
       .splits_backward = true,
       .order = zero_bubble_h2,
       .refusal = any_shape},
      {.name = "zb-v",
       .description =
           "zero bubble with two chunks on the way there and back, memory of 1f1b; arXiv 2401.10241, 2405.15362",
       .bubble = "(p-1)F/(2m(F+B+W)+(p-1)F), none between a stage's first pass and its last",
       .placement = ChunkPlacement::V,
       .chunks = 2,
       .splits_backward = true,
       .order = zero_bubble_v,
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
  if (shape.fuses_passes && !schedule.can_fuse)
    return fmt::format("{} runs no forward together with a backward; use 1f1b, interleaved-1f1b or dualpipe",
                       schedule.name);
  return schedule.refusal(shape);
}

double duration(const ScheduleShape& shape, const Chunks& chunks, std::size_t stage, PassKind kind) {
  const PassCosts costs = shape.costs.empty() ? PassCosts() : shape.costs[stage];
  const std::array<double, 4> whole{costs.forward, costs.backward(), costs.backward_input, costs.backward_weight};
  return whole[static_cast<std::size_t>(kind)] * chunks.share();
}

std::size_t end_together(std::span<const PipelinePass> passes, std::size_t first) {
  std::size_t last = first;
  while (last + 1 < passes.size() && passes[last].with_next)
    ++last;
  return last + 1;
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
