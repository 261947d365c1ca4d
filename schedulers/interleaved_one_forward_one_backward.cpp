#include "schedulers/interleaved_one_forward_one_backward.hpp"

#include <algorithm>

namespace moesim::schedulers {
namespace {

std::vector<std::int64_t> group_sizes(const ScheduleShape& shape) {
  const std::int64_t groups = std::max<std::int64_t>(shape.micro_batches / shape.stages, 1);
  std::vector<std::int64_t> sizes;
  for (std::int64_t group = 0; group < groups; ++group)
    sizes.push_back(shape.micro_batches / groups + (group < shape.micro_batches % groups ? 1 : 0));
  return sizes;
}

// The passes of one kind, which come in the same order on every stage. Backwards take the chunks from the last one.
std::vector<PipelinePass> turns(const ScheduleShape& shape, const std::vector<std::int64_t>& groups, PassKind kind) {
  std::vector<PipelinePass> passes;
  std::int64_t first = 0;
  for (const std::int64_t size : groups) {
    for (std::int64_t step = 0; step < shape.chunks; ++step)
      for (std::int64_t micro_batch = first; micro_batch < first + size; ++micro_batch) {
        const std::int64_t chunk = kind == PassKind::Forward ? step : shape.chunks - 1 - step;
        passes.push_back({kind, static_cast<std::int32_t>(micro_batch), static_cast<std::int32_t>(chunk)});
      }
    first += size;
  }
  return passes;
}

} // namespace

PipelineOrder interleaved_one_forward_one_backward(const ScheduleShape& shape) {
  const std::vector<std::int64_t> groups = group_sizes(shape);
  const std::vector<PipelinePass> forwards = turns(shape, groups, PassKind::Forward);
  const std::vector<PipelinePass> backwards = turns(shape, groups, PassKind::Backward);
  PipelineOrder order;
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const std::int64_t wanted =
        2 * (shape.stages - stage - 1) + (shape.chunks - 1) * groups.front() + (shape.fuses_passes ? 1 : 0);
    const std::size_t warm_up = std::min(static_cast<std::size_t>(wanted), forwards.size());
    std::vector<PipelinePass> passes(forwards.begin(), forwards.begin() + static_cast<std::ptrdiff_t>(warm_up));
    for (std::size_t turn = 0; turn < backwards.size(); ++turn) {
      if (warm_up + turn < forwards.size()) {
        passes.push_back(forwards[warm_up + turn]);
        passes.back().with_next = shape.fuses_passes;
      }
      passes.push_back(backwards[turn]);
    }
    order.push_back(std::move(passes));
  }
  return order;
}

} // namespace moesim::schedulers
