// The bound for schedules with chunks or split backwards: the passes of all stages are run in their order. For those
// that are ordered otherwise, or run together: no stage ends before the first micro-batch has reached it, all its
// passes have run, and the last micro-batch has gone from it back to where the model begins.
#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "simulator/screen/training_bound.hpp"
#include "workloads/stage_units.hpp"

namespace moesim::screen {

using graph::Kind;
using schedulers::ChunkPlace;
using schedulers::Chunks;
using workloads::StageShape;
using workloads::TrainingJob;
using workloads::Unit;

namespace {

constexpr Seconds never{std::numeric_limits<double>::infinity()};

// How many micro-batches go through a chunk: of two copies of the model, half of them through each (Chunks::runs()).
std::int64_t passes_of(const TrainingJob& job, std::int64_t chunk) {
  const std::int64_t all = job.training.micro_batches(job.sizes);
  if (!job.has_two_copies())
    return all;
  return chunk == 0 ? all / 2 : all - all / 2;
}

bool may_split_backwards(const TrainingJob& job) {
  return job.training.order || schedulers::find_schedule(job.training.schedule).splits_backward;
}

// Not found for the job's costs or given by the user, and one pass at a time.
bool has_order_of_its_sizes(const TrainingJob& job) {
  return !job.training.order && job.training.schedule != "zb-auto" &&
         job.training.overlap.expert != workloads::ExpertOverlap::Passes;
}

// The ways of a micro-batch from where the model begins to a chunk, and back.
class Ways {
public:
  using Transfer = std::function<Seconds(ChunkPlace from, ChunkPlace to)>;

  // `times` by stage and chunk. Split backwards are on the way back only with what gives the gradient of the input.
  Ways(const Chunks& chunks, std::vector<ChunkTimes> times, const Transfer& transfer, bool splits)
      : chunks_(chunks), times_(std::move(times)), splits_(splits), there_(times_.size()), back_(times_.size()) {
    for (std::int64_t stage = 0; stage < chunks.stages; ++stage)
      for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
        if (!chunks.before({stage, chunk}))
          walk({stage, chunk}, transfer);
  }

  [[nodiscard]] const ChunkTimes& of(ChunkPlace at) const { return times_[index(at)]; }
  // What a micro-batch's pass does later than what others wait for.
  [[nodiscard]] Seconds later(ChunkPlace at) const { return splits_ ? of(at).weight : Seconds(); }
  [[nodiscard]] Seconds there(ChunkPlace at) const { return there_[index(at)]; }
  [[nodiscard]] Seconds back(ChunkPlace at) const { return back_[index(at)]; }

private:
  [[nodiscard]] std::size_t index(ChunkPlace at) const {
    return static_cast<std::size_t>(at.stage * chunks_.chunks + at.chunk);
  }

  // Through all virtual stages of a copy of the model.
  void walk(ChunkPlace at, const Transfer& transfer) {
    for (std::optional<ChunkPlace> next = chunks_.after(at); next; next = chunks_.after(at)) {
      there_[index(*next)] = there(at) + of(at).forward + transfer(at, *next);
      back_[index(*next)] = back(at) + transfer(*next, at) + of(at).backward - later(at);
      at = *next;
    }
  }

  const Chunks& chunks_;
  std::vector<ChunkTimes> times_;
  bool splits_;
  std::vector<Seconds> there_, back_;
};

} // namespace

// `hides`: all-to-alls of experts may run beside another micro-batch's pass.
ChunkTimes TrainingBound::chunk_times(const StageShape& shape, const PlaceCosts& costs, bool hides) {
  const TurnLists& turns = turn_lists_.of(shape);
  ChunkTimes times;
  for (const std::vector<Unit>* units : {&turns.forward, &turns.backward})
    for (const Unit& unit : *units) {
      const std::size_t index = index_of_part(shape, unit.part);
      const PartTimes::Passes& part = costs.parts[index].passes;
      const Seconds hidden = hides ? part.forward_all_to_alls : Seconds();
      if (unit.runs == Unit::Runs::Forward) {
        times.forward += part.forward - hidden;
        continue;
      }
      if (unit.runs_again())
        times.backward += costs.parts[index].again - hidden;
      if (!unit.runs_backward())
        continue;
      times.backward += part.backward - (hides ? part.backward_all_to_alls : Seconds());
      times.weight += unit.part > 0 ? part.weight : Seconds();
      if (index == head_index)
        times.backward += costs.modules_again;
    }
  return times;
}

StageCosts TrainingBound::costs_of(const TrainingJob& job) {
  shape_ = parts_.shape_of(job.micro_batch());
  const RankChain& chain = chains_.of(job.sizes).front();
  const Bytes boundary = sent_bytes(job);
  costs_.clear();
  StageCosts costs;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage) {
    const auto at = static_cast<std::size_t>(stage);
    const ChunkTimes times = chunk_times(StageShape(job, stage), costs_at(job, chain.places[at]), false);
    costs.stages.push_back({.forward = times.forward.value(),
                            .backward_input = (times.backward - times.weight).value(),
                            .backward_weight = times.weight.value()});
    if (job.sizes.pp > 1)
      costs.transfer = std::max(
          {costs.transfer, communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_next[at]),
           communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_previous[at])});
  }
  return costs;
}

std::vector<ChunkTimes> TrainingBound::times_of_chunks(const TrainingJob& job, const RankChain& chain) {
  const Chunks chunks = job.chunks();
  const bool hides = job.training.overlap.expert == workloads::ExpertOverlap::Passes;
  costs_.clear();
  std::vector<ChunkTimes> times;
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage)
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
      times.push_back(chunk_times(StageShape(job, chunks.virtual_stage({stage, chunk})),
                                  costs_at(job, chain.places[static_cast<std::size_t>(stage)]), hides));
  return times;
}

std::vector<Seconds> TrainingBound::ends_of_passes(const TrainingJob& job, const RankChain& chain,
                                                   const std::vector<ChunkTimes>& times) {
  using schedulers::PassKind;
  const Chunks chunks = job.chunks();
  const std::int64_t micro_batches = job.training.micro_batches(job.sizes);
  const Bytes boundary = sent_bytes(job);
  std::vector<std::array<Seconds, 3>> hops; // of each stage, by ChunkPass::Hop
  for (std::size_t stage = 0; stage < chain.places.size(); ++stage)
    hops.push_back({Seconds(),
                    communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_next[stage]),
                    communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_previous[stage])});
  std::vector<Seconds> ends(chain.places.size());
  activations_.assign(times.size() * static_cast<std::size_t>(micro_batches), Seconds());
  gradients_.assign(activations_.size(), Seconds());
  for (const ChunkPass& pass : chunk_orders_.of(job.training.schedule, chunks, micro_batches)) {
    const ChunkTimes& time = times[pass.place];
    Seconds& ready = ends[pass.stage];
    if (pass.kind == PassKind::BackwardWeight) {
      ready += time.weight;
      continue;
    }
    const bool is_forward = pass.kind == PassKind::Forward;
    const Seconds later = pass.kind == PassKind::BackwardInput ? time.weight : Seconds();
    ready = std::max(ready, (is_forward ? activations_ : gradients_)[pass.slot]) +
            (is_forward ? time.forward : time.backward - later);
    if (pass.to == ChunkPass::nowhere)
      continue;
    const Seconds arrival = ready + hops[pass.stage][static_cast<std::size_t>(pass.hop)];
    (is_forward ? activations_ : gradients_)[pass.to] = arrival;
    if (!job.training.overlap.pp)
      ready = arrival;
  }
  return ends;
}

void TrainingBound::start_clocks_at(const std::vector<Seconds>& ends, const workloads::Training& training) {
  const ReplicaTraffic traffic(training);
  stages_.resize(ends.size());
  for (std::size_t at = 0; at < ends.size(); ++at) {
    Stage& stage = stages_[at];
    stage.passes.clear();
    for (const Pass pass : {Pass::Forward, Pass::Backward})
      stage.clock.turns_of(pass).clear();
    stage.clock.begin(traffic, stage.passes);
    stage.clock.wait_until(ends[at]);
  }
}

Seconds TrainingBound::along_work(const TrainingJob& job, const RankChain& chain) {
  const Chunks chunks = job.chunks();
  const Bytes boundary = sent_bytes(job);
  const auto transfer = [&](ChunkPlace from, ChunkPlace to) {
    if (from.stage == to.stage)
      return Seconds();
    const bool goes_next = (from.stage + 1) % chunks.stages == to.stage;
    const auto at = static_cast<std::size_t>(from.stage);
    return communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary,
                             goes_next ? chain.to_next[at] : chain.to_previous[at]);
  };
  const std::vector<ChunkTimes> times = times_of_chunks(job, chain);
  if (has_order_of_its_sizes(job)) {
    start_clocks_at(ends_of_passes(job, chain, times), job.training);
    return finish(job, chain);
  }
  const Ways ways(chunks, times, transfer, may_split_backwards(job));
  std::vector<Seconds> ends;
  Seconds last_back; // when the last micro-batch is back where the model begins
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage) {
    Seconds arrival = never;
    Seconds way_back = never;
    Seconds work;
    Seconds later;
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk) {
      const ChunkPlace at{stage, chunk};
      const auto passes = static_cast<double>(passes_of(job, chunk));
      arrival = std::min(arrival, ways.there(at));
      way_back = std::min(way_back, ways.back(at));
      work += passes * (ways.of(at).forward + ways.of(at).backward);
      later += passes * ways.later(at);
    }
    ends.push_back(arrival + work);
    last_back = std::max(last_back, arrival + work - later + way_back);
  }
  if (!job.has_two_copies()) // they begin at either end
    ends.front() = std::max(ends.front(), last_back);
  start_clocks_at(ends, job.training);
  return std::max(finish(job, chain), last_back);
}

} // namespace moesim::screen
