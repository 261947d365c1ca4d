// The bound for any schedule: no stage ends before the first micro-batch has reached it, all its passes have run, and
// the last micro-batch has gone from it back to where the model begins.
#include <algorithm>
#include <limits>
#include <optional>

#include "simulator/base/check.hpp"
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

} // namespace

// `hides`: all-to-alls of experts may run beside another micro-batch's pass.
TrainingBound::ChunkTimes TrainingBound::chunk_times(const StageShape& shape, const PlaceCosts& costs, bool hides) {
  const TurnLists& turns = turn_lists_.of(shape);
  ChunkTimes times;
  for (const std::vector<Unit>* units : {&turns.forward, &turns.backward})
    for (const Unit& unit : *units) {
      const std::size_t index = index_of_part(shape, unit.part);
      const PartTimes::Passes& part = costs.parts[index].passes;
      const Seconds forward = part.forward - (hides ? part.forward_all_to_alls : Seconds());
      if (unit.runs == Unit::Runs::Forward) {
        times.forward += forward;
        continue;
      }
      if (unit.runs != Unit::Runs::Backward)
        times.backward += forward;
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
  const Bytes boundary = boundary_bytes(job.model, job.micro_batch());
  costs_.clear();
  StageCosts costs;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage) {
    const auto at = static_cast<std::size_t>(stage);
    const ChunkTimes times = chunk_times(StageShape(job, stage), costs_at(job, chain.places[at]), false);
    costs.stages.push_back({.forward = times.forward.value(),
                            .backward_input = (times.backward - times.weight).value(),
                            .backward_weight = times.weight.value()});
    if (job.sizes.pp > 1)
      costs.transfer = std::max({costs.transfer, communication_.of(Kind::SendRecv, boundary, chain.to_next[at]),
                                 communication_.of(Kind::SendRecv, boundary, chain.to_previous[at])});
  }
  return costs;
}

Seconds TrainingBound::along_work(const TrainingJob& job, const RankChain& chain) {
  const Chunks chunks = job.chunks();
  const Bytes boundary = boundary_bytes(job.model, job.micro_batch());
  const bool hides = job.training.overlap.expert == workloads::ExpertOverlap::Passes;
  const auto stage_of = [](ChunkPlace at) { return static_cast<std::size_t>(at.stage); };
  stages_.resize(static_cast<std::size_t>(job.sizes.pp));
  costs_.clear();
  std::vector<ChunkTimes> times; // by stage and chunk
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage)
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk)
      times.push_back(chunk_times(StageShape(job, chunks.virtual_stage({stage, chunk})),
                                  costs_at(job, chain.places[static_cast<std::size_t>(stage)]), hides));
  const auto of = [&](ChunkPlace at) -> const ChunkTimes& {
    return times[static_cast<std::size_t>(at.stage * chunks.chunks + at.chunk)];
  };
  // Forward from `from`, and back to it from the place behind.
  const auto transfer = [&](ChunkPlace from, ChunkPlace to) {
    if (from.stage == to.stage)
      return Seconds();
    const bool goes_next = (from.stage + 1) % chunks.stages == to.stage;
    return communication_.of(Kind::SendRecv, boundary,
                             goes_next ? chain.to_next[stage_of(from)] : chain.to_previous[stage_of(from)]);
  };
  const bool splits = may_split_backwards(job);
  const ReplicaTraffic traffic(job.training);
  std::vector<Seconds> ends(stages_.size());
  Seconds back; // when the last micro-batch is back where the model begins
  for (std::int64_t stage = 0; stage < chunks.stages; ++stage) {
    Seconds arrival = never;
    Seconds way_back = never;
    Seconds work;
    Seconds later;
    for (std::int64_t chunk = 0; chunk < chunks.chunks; ++chunk) {
      const ChunkPlace at{stage, chunk};
      Seconds there;
      Seconds home;
      ChunkPlace place = at;
      for (std::optional<ChunkPlace> before = chunks.before(at); before; before = chunks.before(place)) {
        there += of(*before).forward + transfer(*before, place);
        home += of(*before).backward - (splits ? of(*before).weight : Seconds()) + transfer(place, *before);
        place = *before;
      }
      arrival = std::min(arrival, there);
      way_back = std::min(way_back, home);
      const auto passes = static_cast<double>(passes_of(job, chunk));
      work += passes * (of(at).forward + of(at).backward);
      later += splits ? passes * of(at).weight : Seconds();
    }
    ends[static_cast<std::size_t>(stage)] = arrival + work;
    back = std::max(back, arrival + work - later + way_back);
  }
  for (std::size_t at = 0; at < stages_.size(); ++at) {
    stages_[at].passes.clear();
    for (const Pass pass : {Pass::Forward, Pass::Backward})
      stages_[at].clock.turns_of(pass).clear();
    stages_[at].clock.begin(traffic, stages_[at].passes);
    stages_[at].clock.wait_until(ends[at]);
  }
  // Two copies begin at either end.
  if (!job.has_two_copies())
    stages_.front().clock.wait_until(back);
  return std::max(finish(job, chain), back);
}

} // namespace moesim::screen
