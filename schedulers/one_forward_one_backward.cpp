#include "schedulers/one_forward_one_backward.hpp"

#include <algorithm>

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {

PipelineOrder one_forward_one_backward(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t later_stages = shape.stages - stage - 1;
    const std::int64_t warm_up =
        std::min(shape.fuses_passes ? 2 * later_stages + 1 : later_stages, shape.micro_batches);
    StagePasses passes;
    while (passes.forwards() < warm_up)
      passes.forward();
    while (passes.forwards() < shape.micro_batches) {
      if (shape.fuses_passes) {
        passes.forward_with_backward(0, 0);
      } else {
        passes.forward();
        passes.backward();
      }
    }
    while (passes.backwards() < shape.micro_batches)
      passes.backward();
    order.push_back(passes.all());
  }
  return order;
}

} // namespace moesim::schedulers
