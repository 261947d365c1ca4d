#include "schedulers/zero_bubble_auto.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "schedulers/pass_timeline.hpp"
#include "schedulers/stage_passes.hpp"
#include "schedulers/zero_bubble_greedy.hpp"
#include "schedulers/zero_bubble_h1.hpp"
#include "schedulers/zero_bubble_h2.hpp"

namespace moesim::schedulers {
namespace {

PipelineOrder split_one_forward_one_backward(const ScheduleShape& shape, std::int64_t max_in_flight) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t warm_up = std::min({shape.stages - stage, max_in_flight, shape.micro_batches}) - 1;
    StagePasses passes;
    passes.one_forward_one_split_backward(warm_up, shape.micro_batches, 0);
    order.push_back(passes.all());
  }
  return order;
}

std::vector<PipelineOrder> candidates(const ScheduleShape& shape, std::int64_t max_in_flight) {
  std::vector<PipelineOrder> orders{split_one_forward_one_backward(shape, max_in_flight)};
  if (max_in_flight >= std::min(shape.micro_batches, shape.stages))
    orders.push_back(zero_bubble_h1(shape));
  if (max_in_flight >= std::min(shape.micro_batches, 2 * shape.stages - 1))
    orders.push_back(zero_bubble_h2(shape));
  for (const double lead : {1.0, 1.5, 2.0, 3.0})
    for (unsigned choices = 0; choices < 16; ++choices)
      orders.push_back(greedy_zero_bubble(shape, max_in_flight,
                                          {.lead = lead,
                                           .backward_first = (choices & 8U) != 0,
                                           .waits_for_backward = (choices & 4U) != 0,
                                           .skips_forwards = (choices & 2U) != 0,
                                           .fills_small_gaps = (choices & 1U) != 0}));
  return orders;
}

} // namespace

PipelineOrder zero_bubble_auto(const ScheduleShape& shape) {
  const std::int64_t max_in_flight = shape.max_in_flight > 0 ? shape.max_in_flight : shape.stages;
  const Chunks chunks{ChunkPlacement::Loop, shape.stages, 1};
  std::vector<PipelineOrder> orders = candidates(shape, max_in_flight);
  return std::move(*std::ranges::min_element(
      orders, {}, [&](const PipelineOrder& order) { return time_passes(order, chunks, shape).makespan; }));
}

// Measured: 40,000 passes forward take 0.9 s on 2 stages, 2 s on 20 and 23 s on 400.
std::string zero_bubble_auto_refusal(const ScheduleShape& shape) {
  constexpr double most = 8e6;
  const auto stages = static_cast<double>(shape.stages);
  const double most_micro_batches = std::floor(most / (stages * (16 + stages)));
  if (static_cast<double>(shape.micro_batches) <= most_micro_batches)
    return {};
  return fmt::format(
      "zb-auto would search too long for {} stages and {} micro-batches; use {}", shape.stages, shape.micro_batches,
      most_micro_batches >= 1 ? fmt::format("{} micro-batches at most", most_micro_batches) : "fewer stages, or zb-h1");
}

} // namespace moesim::schedulers
