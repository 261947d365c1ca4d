#include "schedulers/zero_bubble_h2.hpp"

#include <algorithm>

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {

PipelineOrder zero_bubble_h2(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t warm_up = std::min(2 * (shape.stages - stage) - 1, shape.micro_batches);
    StagePasses passes;
    while (passes.forwards() < warm_up)
      passes.forward();
    while (passes.backwards() < shape.micro_batches) {
      const std::int64_t forwards_left = shape.micro_batches - passes.forwards();
      passes.backward_input();
      if (forwards_left == 0 || forwards_left > 2 * stage)
        passes.backward_weight();
      if (forwards_left > 0)
        passes.forward();
    }
    passes.backward_weights_left();
    order.push_back(passes.all());
  }
  return order;
}

} // namespace moesim::schedulers
