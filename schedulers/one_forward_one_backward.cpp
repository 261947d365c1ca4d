#include "schedulers/one_forward_one_backward.hpp"

#include <algorithm>

namespace moesim::schedulers {

PipelineOrder one_forward_one_backward(const ScheduleShape& shape) {
  PipelineOrder order(static_cast<std::size_t>(shape.stages));
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    auto& passes = order[static_cast<std::size_t>(stage)];
    const auto add = [&](PassKind kind, std::int64_t micro_batch) {
      passes.push_back({kind, static_cast<std::int32_t>(micro_batch), 0});
    };
    const std::int64_t warm_up = std::min(shape.stages - stage - 1, shape.micro_batches);
    for (std::int64_t micro_batch = 0; micro_batch < warm_up; ++micro_batch)
      add(PassKind::Forward, micro_batch);
    for (std::int64_t micro_batch = warm_up; micro_batch < shape.micro_batches; ++micro_batch) {
      add(PassKind::Forward, micro_batch);
      add(PassKind::Backward, micro_batch - warm_up);
    }
    for (std::int64_t micro_batch = shape.micro_batches - warm_up; micro_batch < shape.micro_batches; ++micro_batch)
      add(PassKind::Backward, micro_batch);
  }
  return order;
}

} // namespace moesim::schedulers
