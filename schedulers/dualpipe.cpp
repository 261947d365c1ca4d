#include "schedulers/dualpipe.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schedulers/dualpipe_rank.hpp"

namespace moesim::schedulers {

PipelineOrder dualpipe(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t from_end = std::min(stage, shape.stages - 1 - stage);
    order.push_back(dualpipe_passes({.from_end = from_end,
                                     .from_middle = shape.stages / 2 - 1 - from_end,
                                     .micro_batches = shape.micro_batches / 2,
                                     .near_chunk = stage < shape.stages / 2 ? 0 : 1,
                                     .first_of_second_chunk = shape.micro_batches / 2}));
  }
  return order;
}

std::string dualpipe_refusal(const ScheduleShape& shape) {
  if (shape.stages % 2 != 0)
    return fmt::format("dualpipe pairs stages from both ends, and {} is odd; use {} stages, or dualpipe-v",
                       shape.stages, shape.stages + 1);
  if (shape.micro_batches % 2 != 0 || shape.micro_batches < 2 * shape.stages)
    return fmt::format("dualpipe fills {} stages from both ends with an even number of micro-batches, at least {}, "
                       "not {}; use {}",
                       shape.stages, 2 * shape.stages, shape.micro_batches,
                       std::max(2 * shape.stages, shape.micro_batches + shape.micro_batches % 2));
  return {};
}

} // namespace moesim::schedulers
