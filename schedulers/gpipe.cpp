#include "schedulers/gpipe.hpp"

namespace moesim::schedulers {

PipelineOrder gpipe(const ScheduleShape& shape) {
  std::vector<PipelinePass> passes;
  for (const PassKind kind : {PassKind::Forward, PassKind::Backward})
    for (std::int64_t micro_batch = 0; micro_batch < shape.micro_batches; ++micro_batch)
      passes.push_back({kind, static_cast<std::int32_t>(micro_batch), 0});
  return PipelineOrder(static_cast<std::size_t>(shape.stages), passes);
}

} // namespace moesim::schedulers
