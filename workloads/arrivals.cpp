#include "workloads/arrivals.hpp"

#include <algorithm>

#include "simulator/base/check.hpp"

namespace moesim::workloads {

using graph::Stream;
using schedulers::ChunkPlace;
using schedulers::Chunks;
using schedulers::PassKind;
using schedulers::PipelinePass;

std::optional<ChunkPlace> destination(const Chunks& chunks, ChunkPlace at, PassKind kind) {
  if (kind == PassKind::BackwardWeight)
    return {};
  return kind == PassKind::Forward ? chunks.after(at) : chunks.before(at);
}

// From the last stage to the first, and back, goes around.
Stream sending_stream(const Chunks& chunks, ChunkPlace from, ChunkPlace to) {
  const bool is_wrapped = chunks.placement == schedulers::ChunkPlacement::Loop && from.chunk != to.chunk;
  const bool goes_up = is_wrapped ? to.chunk > from.chunk : to.stage > from.stage;
  return goes_up ? Stream::PpSendNext : Stream::PpSendPrev;
}

Arrivals::Arrivals(const schedulers::PipelineOrder& order, const Chunks& chunks, std::int64_t stage) : chunks_(chunks) {
  // A neighbour may be both the next and the previous one: it is then looked at once.
  std::vector<std::int64_t> neighbours{(stage + 1) % chunks.stages, (stage + chunks.stages - 1) % chunks.stages};
  if (neighbours.front() == neighbours.back())
    neighbours.pop_back();
  for (const std::int64_t neighbour : neighbours)
    for (const PipelinePass& pass : order[static_cast<std::size_t>(neighbour)]) {
      const ChunkPlace from{neighbour, pass.chunk};
      const std::optional<ChunkPlace> to = destination(chunks, from, pass.kind);
      if (neighbour == stage || !to || to->stage != stage)
        continue;
      const std::size_t queue = sending_stream(chunks, from, *to) == Stream::PpSendNext ? 0 : 1;
      queues_[queue].arrivals.push_back({from, pass.micro_batch, pass.kind == PassKind::Forward});
    }
}

std::vector<Arrival> Arrivals::take_until(const Arrival& wanted) {
  const PassKind kind = wanted.is_forward ? PassKind::Forward : PassKind::BackwardInput;
  const std::optional<ChunkPlace> to = destination(chunks_, wanted.from, kind);
  MOESIM_CHECK(to.has_value(), "what a pass waits for is sent by another");
  Queue& queue = queues_[sending_stream(chunks_, wanted.from, *to) == Stream::PpSendNext ? 0 : 1];
  const auto first = queue.arrivals.begin() + static_cast<std::ptrdiff_t>(queue.taken);
  const auto found = std::find(first, queue.arrivals.end(), wanted);
  if (found == queue.arrivals.end())
    return {};
  queue.taken = static_cast<std::size_t>(found - queue.arrivals.begin()) + 1;
  return {first, found + 1};
}

} // namespace moesim::workloads
