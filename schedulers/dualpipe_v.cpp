#include "schedulers/dualpipe_v.hpp"

#include <fmt/format.h>

#include "schedulers/dualpipe_rank.hpp"

namespace moesim::schedulers {

PipelineOrder dualpipe_v(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage)
    order.push_back(dualpipe_passes(
        {.from_end = stage, .from_middle = shape.stages - 1 - stage, .micro_batches = shape.micro_batches}));
  return order;
}

std::string dualpipe_v_refusal(const ScheduleShape& shape) {
  if (shape.micro_batches >= 2 * shape.stages)
    return {};
  return fmt::format("dualpipe-v fills {} stages in both directions with at least {} micro-batches, not {}; use {}",
                     shape.stages, 2 * shape.stages, shape.micro_batches, 2 * shape.stages);
}

} // namespace moesim::schedulers
