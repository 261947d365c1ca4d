#include "schedulers/zero_bubble_h1.hpp"

#include <algorithm>

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {

PipelineOrder zero_bubble_h1(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t warm_up = std::min(shape.stages - stage - 1, shape.micro_batches);
    StagePasses passes;
    passes.one_forward_one_split_backward(warm_up, shape.micro_batches, stage);
    order.push_back(passes.all());
  }
  return order;
}

} // namespace moesim::schedulers
