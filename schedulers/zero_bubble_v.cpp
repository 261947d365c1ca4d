#include "schedulers/zero_bubble_v.hpp"

#include <algorithm>

#include "schedulers/stage_passes.hpp"

namespace moesim::schedulers {
namespace {

// As long as the first micro-batch is on its way to the turn and back, forwards only; then chunk 1 runs at once what it
// gets, for it is the end of the model.
void warm_up(StagePasses& passes, std::int64_t stage, std::int64_t stages) {
  for (std::int64_t turn = 0; turn < 2 * (stages - stage) - 1; ++turn)
    passes.forward(0);
  for (std::int64_t turn = 0; turn < stage; ++turn) {
    passes.forward(1);
    passes.forward(0);
  }
  for (std::int64_t turn = stage; turn < stages; ++turn) {
    passes.forward(1);
    passes.backward_input(1);
    passes.backward_weight();
  }
}

void steady_state(StagePasses& passes, std::int64_t micro_batches) {
  while (passes.forwards(1) < micro_batches) {
    if (passes.forwards(0) < micro_batches)
      passes.forward(0);
    passes.backward_input(0);
    passes.backward_weight();
    passes.forward(1);
    passes.backward_input(1);
    passes.backward_weight();
  }
}

// Gradients of the input first, so that the stages before need not wait; those of the weights fill the rest.
void cool_down(StagePasses& passes, std::int64_t stage, std::int64_t stages) {
  for (std::int64_t turn = 0; turn < stage; ++turn) {
    passes.backward_input(0);
    passes.backward_input(1);
  }
  for (std::int64_t turn = stage; turn < stages; ++turn) {
    passes.backward_input(0);
    passes.backward_weight();
  }
  passes.backward_weights_left();
}

} // namespace

PipelineOrder zero_bubble_v(const ScheduleShape& shape) {
  const std::int64_t micro_batches = std::max(shape.micro_batches, 2 * shape.stages - 1);
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    StagePasses passes;
    warm_up(passes, stage, shape.stages);
    steady_state(passes, micro_batches);
    cool_down(passes, stage, shape.stages);
    order.push_back(passes.all());
    std::erase_if(order.back(), [&](const PipelinePass& pass) { return pass.micro_batch >= shape.micro_batches; });
  }
  return order;
}

} // namespace moesim::schedulers
