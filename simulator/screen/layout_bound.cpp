// The bound for all jobs of a layout: no stream of a rank ends before it has done its work, and what stages have to do
// on average is the work of the whole model shared by all of them. Recomputation only adds to it, and the least of what
// each overlap makes of it is taken, stream by stream.
#include <algorithm>
#include <limits>

#include "simulator/screen/training_bound.hpp"
#include "workloads/data_parallel.hpp"

namespace moesim::screen {

using graph::Dimension;
using graph::Kind;
using graph::Stream;
using workloads::TrainingJob;

namespace {

constexpr Seconds never{std::numeric_limits<double>::infinity()};

} // namespace

// For one micro-batch and the whole model.
BusyTimes TrainingBound::least_busy(const TrainingJob& job, PlaceId place) {
  BusyTimes least;
  least.streams.fill(never);
  workloads::MicroBatchShape shape = job.micro_batch();
  shape.recomputed = {};
  for (const bool overlaps_tp : {false, true})
    for (const bool overlaps_experts : {false, true}) {
      if ((overlaps_tp && !shape.sequence_parallel) || (overlaps_experts && !job.model.moe))
        continue;
      shape.overlaps_tp = overlaps_tp;
      shape.overlaps_experts = overlaps_experts;
      const BusyTimes& busy = parts_.busy(parts_.shape_of(shape), place);
      for (std::size_t stream = 0; stream < graph::stream_count; ++stream)
        least.streams[stream] = std::min(least.streams[stream], busy.streams[stream]);
    }
  return least;
}

// Of all stages together, layers only: messages about a part of the bytes each take together no less than one about
// all. Sharded gradients are reduced more often, so that sharding the optimizer's state, or nothing, is the least.
Seconds TrainingBound::least_replica_traffic(const TrainingJob& job, const Place& place) {
  workloads::RankParameters all;
  for (std::int64_t layer = 0; layer < job.model.num_layers; ++layer)
    all += layer_parameters(job, job.model.kind_of(layer));
  workloads::Training training = job.training;
  training.sharding = workloads::Sharding::None;
  const Seconds whole = reduce_time(training, all, place);
  training.sharding = workloads::Sharding::Zero1;
  return std::min(whole, reduce_time(training, all, place) + gather_time(training, all, place));
}

Seconds TrainingBound::of_layout(const TrainingJob& job) {
  const auto stages = static_cast<double>(job.sizes.pp);
  const auto micro_batches = static_cast<double>(job.training.micro_batches(job.sizes));
  Seconds bound;
  for (const RankChain& chain : chains_.of(job.sizes)) {
    // Which stage has which part of the model, schedules decide: each might be in the best place.
    Seconds least = never;
    std::vector<PlaceId> seen;
    for (const PlaceId id : chain.places) {
      if (std::ranges::find(seen, id) != seen.end())
        continue;
      seen.push_back(id);
      Seconds longest = least_replica_traffic(job, chains_.place(id)) / stages;
      for (const Seconds busy : least_busy(job, id).streams)
        longest = std::max(longest, busy * micro_batches / stages);
      least = std::min(least, longest);
    }
    bound = std::max(bound, least);
  }
  return bound;
}

} // namespace moesim::screen
