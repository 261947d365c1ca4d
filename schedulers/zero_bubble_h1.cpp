#include "schedulers/zero_bubble_h1.hpp"

#include <algorithm>

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {

PipelineOrder zero_bubble_h1(const ScheduleShape& shape) {
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t warm_up = std::min(shape.stages - stage - 1, shape.micro_batches);
    StagePasses passes;
    while (passes.forwards() < warm_up)
      passes.forward();
    while (passes.backwards() < shape.micro_batches) {
      if (passes.forwards() < shape.micro_batches)
        passes.forward();
      passes.backward_input();
      if (passes.backwards() > stage)
        passes.backward_weight();
    }
    passes.backward_weights_left();
    order.push_back(passes.all());
  }
  return order;
}

} // namespace moesim::schedulers
