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

std::optional<Arrival> arrival_for(const Chunks& chunks, ChunkPlace at, const PipelinePass& pass) {
  if (pass.kind == PassKind::BackwardWeight)
    return {};
  const bool is_forward = pass.kind == PassKind::Forward;
  const std::optional<ChunkPlace> from = is_forward ? chunks.before(at) : chunks.after(at);
  if (!from || from->stage == at.stage)
    return {};
  return Arrival{*from, pass.micro_batch, is_forward};
}

std::optional<Crossing> first_crossing(const schedulers::PipelineOrder& order, const Chunks& chunks) {
  const auto pass_of = [](const Arrival& arrival) {
    return PipelinePass{arrival.is_forward ? PassKind::Forward : PassKind::Backward, arrival.micro_batch,
                        static_cast<std::int32_t>(arrival.from.chunk)};
  };
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage) {
    Arrivals arrivals(order, chunks, stage);
    for (const PipelinePass& pass : order[static_cast<std::size_t>(stage)]) {
      const std::optional<Arrival> wanted = arrival_for(chunks, {stage, pass.chunk}, pass);
      if (!wanted)
        continue;
      const std::vector<Arrival> taken = arrivals.take_until(*wanted);
      if (taken.size() > 1)
        return Crossing{stage, wanted->from.stage, pass_of(*wanted), pass_of(taken.front())};
    }
  }
  return {};
}

} // namespace moesim::workloads
