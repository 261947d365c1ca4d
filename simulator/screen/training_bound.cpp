#include "simulator/screen/training_bound.hpp"

#include <algorithm>

#include "platforms/gpu.hpp"
#include "simulator/base/check.hpp"
#include "workloads/data_parallel.hpp"
#include "workloads/optimizer_step.hpp"

namespace moesim::screen {

using graph::Dimension;
using graph::Kind;
using workloads::RankParameters;
using workloads::StageShape;
using workloads::Training;
using workloads::TrainingJob;
using workloads::Unit;

namespace {

// Of other schedules the passes are not run one by one (schedule_bound.cpp).
bool follows_order(const schedulers::PipelineSchedule& schedule) {
  return schedule.chunks == 1 && !schedule.splits_backward;
}

} // namespace

Seconds TrainingBound::of(const TrainingJob& job) {
  const bool is_followed = !job.training.order && follows_order(schedulers::find_schedule(job.training.schedule)) &&
                           job.training.overlap.expert != workloads::ExpertOverlap::Passes &&
                           job.training.p2p == workloads::P2p::Eager;
  shape_ = parts_.shape_of(job.micro_batch());
  Seconds bound;
  for (const RankChain& chain : chains_.of(job.sizes))
    bound = std::max(bound, is_followed ? along(job, chain) : along_work(job, chain));
  return bound;
}

Seconds TrainingBound::along(const TrainingJob& job, const RankChain& chain) {
  const ReplicaTraffic traffic(job.training);
  const std::vector<OrderedPass>& order =
      orders_.of(job.training.schedule, job.sizes.pp, job.training.micro_batches(job.sizes));
  const Bytes boundary = boundary_bytes(job.model, job.micro_batch());
  stages_.resize(static_cast<std::size_t>(job.sizes.pp));
  costs_.clear();
  for (std::size_t at = 0; at < stages_.size(); ++at) {
    Stage& stage = stages_[at];
    fill_turns(StageShape(job, static_cast<std::int64_t>(at)), costs_at(job, chain.places[at]), stage);
    stage.to_next = communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_next[at]);
    stage.to_previous = communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, boundary, chain.to_previous[at]);
    stage.sent_next = stage.sent_previous = Seconds();
    stage.passes.clear();
  }
  if (traffic.prefetched > 0)
    for (const OrderedPass& pass : order)
      stages_[pass.stage].passes.push_back(pass.pass);
  for (Stage& stage : stages_)
    stage.clock.begin(traffic, stage.passes);
  run_passes(job, order);
  return finish(job, chain);
}

const TrainingBound::PlaceCosts& TrainingBound::costs_at(const TrainingJob& job, PlaceId place) {
  const auto known = std::ranges::find(costs_, place, &PlaceCosts::place);
  if (known != costs_.end())
    return *known;
  cost_parts(job, place);
  return costs_.back();
}

void TrainingBound::cost_parts(const TrainingJob& job, PlaceId id) {
  const Place& place = chains_.place(id);
  const PartTimes& times = parts_.of(shape_, id);
  const workloads::Recompute& recompute = job.training.recompute;
  const bool runs_modules_again = recompute.is_full() && recompute.method == workloads::Recompute::Method::Uniform;
  PlaceCosts& costs = costs_.emplace_back();
  costs.place = id;
  const ReplicaTraffic traffic(job.training);
  const auto cost = [&](std::size_t index, const PartTimes::Passes& passes, const auto& parameters_of) {
    PartCosts& part = costs.parts[index];
    part.passes = passes;
    part.again = job.training.recompute_early_stop ? passes.needed : passes.forward;
    if (!traffic.gathers_ahead && !traffic.gathers_each_turn && !traffic.reduces_each_turn && !traffic.reduces_beside)
      return;
    const workloads::PartParameters parameters = parameters_of();
    if (traffic.gathers_ahead || traffic.gathers_each_turn)
      part.gather = gather_time(job.training, traffic.gathers_ahead ? parameters.completed : parameters.read, place);
    if (const Operator copy = copy_gathered(job, parameters.read); copy.bytes > Bytes())
      part.copy = platforms::time_of(copy, cluster_.gpu) / place.speed;
    part.completed = parameters.completed;
    if (traffic.reduces_each_turn)
      part.reduce = reduce_time(job.training, parameters.completed, place);
  };
  for (const workloads::LayerKind kind : parts_.kinds())
    cost(index_of(kind), times.layers[index_of(kind)], [&] { return layer_part(job, kind); });
  if (runs_modules_again)
    costs.modules_again = static_cast<double>(job.model.mtp_layers) *
                          costs.parts[index_of(job.model.kind_of(job.model.num_layers - 1))].again;
  cost(embedding_index, times.embedding, [&] { return embedding_part(job); });
  cost(head_index, times.head, [&] { return head_part(job); });
}

// Dense parameters, then those of experts: one after the other on their stream.
Seconds TrainingBound::gather_time(const Training& training, const RankParameters& parameters, const Place& place) {
  const workloads::RankBytes bytes = gathered_bytes(training, parameters);
  return communication_.of(Kind::AllGather, graph::Stream::Dp, bytes.dense, place.group(Dimension::Dp)) +
         communication_.of(Kind::AllGather, graph::Stream::Dp, bytes.expert, place.group(Dimension::Edp));
}

Seconds TrainingBound::reduce_time(const Training& training, const RankParameters& parameters, const Place& place) {
  const Kind kind = training.shards_optimizer() ? Kind::ReduceScatter : Kind::AllReduce;
  const workloads::RankBytes bytes = reduced_bytes(training, parameters);
  return communication_.of(kind, graph::Stream::Dp, bytes.dense, place.group(Dimension::Dp)) +
         communication_.of(kind, graph::Stream::Dp, bytes.expert, place.group(Dimension::Edp));
}

void TrainingBound::fill_turns(const StageShape& shape, const PlaceCosts& costs, Stage& stage) {
  const TurnLists& lists = turn_lists_.of(shape);
  for (const Pass pass : {Pass::Forward, Pass::Backward}) {
    const std::vector<Unit>& units = pass == Pass::Forward ? lists.forward : lists.backward;
    std::vector<Turn>& turns = stage.clock.turns_of(pass);
    turns.resize(units.size());
    for (std::size_t at = 0; at < units.size(); ++at) {
      const Unit& unit = units[at];
      const std::size_t index = index_of_part(shape, unit.part);
      const PartCosts& part = costs.parts[index];
      Turn& turn = turns[at];
      turn.runs_backward = unit.runs_backward();
      turn.time = (unit.runs == Unit::Runs::Forward ? part.passes.forward : Seconds()) +
                  (unit.runs_again() ? part.again : Seconds()) +
                  (turn.runs_backward ? part.passes.backward : Seconds());
      if (index == head_index && turn.runs_backward)
        turn.time += costs.modules_again;
      if (unit.begins_use())
        turn.time += part.copy;
      turn.gather = unit.begins_use() ? part.gather : Seconds();
      turn.reduce = turn.runs_backward ? part.reduce : Seconds();
    }
  }
  const ReplicaTraffic traffic(shape.job.training);
  if (traffic.reduces_beside && !traffic.reduces_each_turn)
    fill_buckets(shape, costs, lists.backward, stage.clock.turns_of(Pass::Backward));
}

// As DataParallel::reduce_bucket() does in the last backward.
void TrainingBound::fill_buckets(const StageShape& shape, const PlaceCosts& costs, const std::vector<Unit>& units,
                                 std::vector<Turn>& turns) {
  RankParameters bucket;
  for (std::size_t at = 0; at < units.size(); ++at) {
    if (!turns[at].runs_backward)
      continue;
    bucket += costs.parts[index_of_part(shape, units[at].part)].completed;
    const RankParameters full = full_buckets(shape.job, bucket, at + 1 == units.size());
    bucket = {.dense = bucket.dense - full.dense, .expert = bucket.expert - full.expert};
    turns[at].reduce = reduce_time(shape.job.training, full, chains_.place(costs.place));
  }
}

// A pass starts when its input has arrived and the one before it has ended, also, without overlap, its sends. Transfers
// of one direction follow each other.
void TrainingBound::run_passes(const TrainingJob& job, const std::vector<OrderedPass>& order) {
  const bool waits_for_sends = !job.training.overlap.pp;
  const std::size_t last = stages_.size() - 1;
  activations_.assign(order.size() / 2, Seconds());
  gradients_.assign(order.size() / 2, Seconds());
  for (const OrderedPass& pass : order) {
    Stage& stage = stages_[pass.stage];
    if (pass.pass == Pass::Forward) {
      stage.clock.run(Pass::Forward, activations_[pass.slot], pass.is_end);
      if (pass.stage == last)
        continue;
      stage.sent_next = std::max(stage.sent_next, stage.clock.ready()) + stage.to_next;
      activations_[pass.slot + 1] = stage.sent_next;
      if (waits_for_sends)
        stage.clock.wait_until(stage.sent_next);
    } else {
      stage.clock.run(Pass::Backward, gradients_[pass.slot], pass.is_end);
      if (pass.stage == 0)
        continue;
      stage.sent_previous = std::max(stage.sent_previous, stage.clock.ready()) + stage.to_previous;
      gradients_[pass.slot - 1] = stage.sent_previous;
      if (waits_for_sends)
        stage.clock.wait_until(stage.sent_previous);
    }
  }
}

// From the last backward to the end of the optimizer step, and of what it leaves to be gathered.
Seconds TrainingBound::finish(const TrainingJob& job, const RankChain& chain) {
  const Training& training = job.training;
  std::array<RankParameters, layer_kind_count> of_layer;
  for (const workloads::LayerKind kind : parts_.kinds())
    of_layer[index_of(kind)] = layer_parameters(job, kind);
  parameters_.assign(stages_.size(), {});
  for (std::size_t at = 0; at < stages_.size(); ++at) {
    const workloads::PipelineStage stage(job, static_cast<std::int64_t>(at));
    const Place& place = chains_.place(chain.places[at]);
    StageClock& clock = stages_[at].clock;
    for (const StageShape& shape : stage.owned())
      for (std::int64_t part = 1; part <= shape.layers; ++part)
        parameters_[at] += of_layer[index_of(shape.kind_of(part))];
    if (stage.owns_first())
      parameters_[at] += embedding_share(job);
    if (stage.owns_last()) {
      parameters_[at] += head_share(job);
      parameters_[at] += mtp_share(job);
    }
    const Seconds replicated =
        communication_.of(Kind::AllReduce, graph::Stream::Tp, replicated_gradients(stage), place.group(Dimension::Tp));
    if (!training.shards_gradients())
      clock.follow(replicated);
    if (!training.shards_gradients() && !training.overlap.grad_reduce)
      clock.wait_until(clock.beside(reduce_time(training, parameters_[at], place)));
    clock.wait_for_reductions();
    if (training.shards_gradients())
      clock.follow(replicated);
  }
  exchange_embedding_gradients(job, chain);
  Seconds end;
  const bool gathers = training.shards_optimizer() && !training.shards_weights() && !training.overlap.param_gather;
  for (std::size_t at = 0; at < stages_.size(); ++at) {
    const Place& place = chains_.place(chain.places[at]);
    StageClock& clock = stages_[at].clock;
    clock.follow(platforms::time_of(adam(job, parameters_[at]), cluster_.gpu) / place.speed);
    if (gathers)
      clock.follow(gather_time(training, parameters_[at], place));
    end = std::max(end, clock.ready());
  }
  return end;
}

void TrainingBound::exchange_embedding_gradients(const TrainingJob& job, const RankChain& chain) {
  if (!exchanges_embedding_gradient(workloads::PipelineStage(job, 0)))
    return;
  const Bytes bytes = exchanged_embedding_gradient(job);
  const Seconds transfer =
      std::max(communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, bytes, chain.to_previous.front()),
               communication_.of(Kind::SendRecv, graph::Stream::PpSendNext, bytes, chain.to_next.back()));
  const Seconds sum = platforms::time_of(add_embedding_gradient(job), cluster_.gpu);
  const Seconds both = std::max(stages_.front().clock.ready(), stages_.back().clock.ready()) + transfer;
  for (const std::size_t at : {std::size_t{0}, stages_.size() - 1}) {
    stages_[at].clock.wait_until(both);
    stages_[at].clock.follow(sum / chains_.place(chain.places[at]).speed);
  }
}

} // namespace moesim::screen
