#include "workloads/data_parallel.hpp"

#include <algorithm>
#include <utility>

#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Memory;
using graph::Phase;

namespace {

// The bytes of the gradients that are sent to other ranks, before they are compressed.
Bytes compressible(const TrainingJob& job, const RankParameters& parameters) {
  const RankParameters sent = with_replicas(job, parameters);
  return Bytes(job.training.gradient_bytes() * (sent.dense + sent.expert));
}

Segment kernel(const char* name, const Operator& op) {
  Segment segment{name, Kind::Compute, Dimension::Dp, {}};
  segment.work.operators = {op};
  segment.work.bytes = op.bytes;
  return segment;
}

} // namespace

RankBytes gathered_bytes(const Training& training, const RankParameters& parameters) {
  const double bytes = bytes_per_element(precision_outside_products(training.precision));
  return {.dense = Bytes(bytes * parameters.dense), .expert = Bytes(bytes * parameters.expert)};
}

RankBytes reduced_bytes(const Training& training, const RankParameters& parameters) {
  const double bytes = training.gradient_bytes() * training.grad_compression.value_or(1);
  return {.dense = Bytes(bytes * parameters.dense), .expert = Bytes(bytes * parameters.expert)};
}

Operator copy_gathered(const TrainingJob& job, const RankParameters& parameters) {
  const Training& training = job.training;
  const bool copies = training.shards_weights() && training.copy_gathered_parameters;
  const Bytes gathered = gathered_bytes(training, with_replicas(job, parameters)).total();
  Operator kernel;
  kernel.bytes = copies ? 2 * gathered : Bytes();
  return kernel;
}

RankParameters full_buckets(const TrainingJob& job, const RankParameters& waiting, bool is_last) {
  const auto size = static_cast<double>(job.training.bucket_size(job.sizes));
  return {.dense = is_last || waiting.dense >= size ? waiting.dense : 0,
          .expert = is_last || waiting.expert >= size ? waiting.expert : 0};
}

Operator compress_gradients(const Training& training, Bytes gradients) {
  Operator kernel;
  kernel.pass = Pass::Backward;
  kernel.bytes = (1 + *training.grad_compression) * gradients;
  return kernel;
}

void DataParallel::begin() {
  if (!training().shards_optimizer() || !training().overlap.param_gather)
    return;
  if (training().shards_weights())
    return gather_ahead(0);
  // What the optimizer step of the iteration before has left scattered: the same traffic as after this iteration's own
  // step, moved to where it can hide.
  for (const StageShape& chunk : stage_.chunks) {
    const auto number = static_cast<std::uint8_t>(gathered_ahead_.size());
    std::vector<Indices>& of_part = gathered_ahead_.emplace_back(static_cast<std::size_t>(chunk.head()) + 1);
    for (std::int64_t part = chunk.first_part(); part <= chunk.last_part(); ++part)
      of_part[static_cast<std::size_t>(part)] =
          gather(part_parameters(chunk, part).completed, {}, {.layer = chunk.layer_of(part), .chunk = number});
  }
}

void DataParallel::before(std::size_t unit) {
  const Unit& next = units_[unit];
  if (next.in_first_forward && !gathered_ahead_.empty())
    writer_.wait_for(gathered_ahead_[next.chunk][static_cast<std::size_t>(next.part)]);
  if (training().shards_weights()) {
    if (!training().overlap.param_gather)
      gather_for_turn(unit);
    writer_.wait_for(gathered_for_turn(unit));
  }
  // At most two parts have full gradients: one that is reduced, and one that is computed beside it (as in PyTorch's
  // FSDP, where a reduce-scatter waits for the one before).
  if (training().shards_gradients() && next.completes_gradients())
    finish(reductions_);
  copy_out(next);
}

void DataParallel::after(std::size_t unit) {
  const bool prefetches = training().shards_weights() && training().overlap.param_gather;
  // Whatever is exposed comes first; else what a later turn needs goes before what only the optimizer needs.
  if (training().overlap.grad_reduce && prefetches)
    gather_ahead(unit + 1);
  reduce_after_turn(unit);
  if (!training().overlap.grad_reduce && prefetches)
    gather_ahead(unit + 1);
}

void DataParallel::finish_gradients() {
  if (!training().shards_gradients() && !training().overlap.grad_reduce)
    reductions_ = reduce(owned_parameters(stage_.job, stage_.index), {});
  finish(reductions_);
  finish(latest_reductions_);
}

void DataParallel::after_optimizer_step() {
  if (training().shards_optimizer() && !training().shards_weights() && !training().overlap.param_gather)
    gather(owned_parameters(stage_.job, stage_.index), {}, {});
}

// What the next unit needs and, ahead, those after it: as many as are fetched at a time, up to the first of a backward
// that is not gathered for before it is the next. At most one part more has its weights there.
void DataParallel::gather_ahead(std::size_t next) {
  const bool waits = training().backward_prefetch == BackwardPrefetch::Post;
  const auto is_early = [&](std::size_t unit) { return unit > next && units_[unit].runs != Unit::Runs::Forward; };
  const std::size_t end = std::min(next + turn_gathers_.size(), units_.size());
  while (fetched_ < end && !(waits && is_early(fetched_)))
    gather_for_turn(fetched_++);
}

// The weights that a unit needs, unless an earlier one has left them to it. The embedding's are gathered for its
// backward, too, which does not read them: so does FSDP for each of its units.
void DataParallel::gather_for_turn(std::size_t unit) {
  const Unit& next = units_[unit];
  gathered_for_turn(unit).clear();
  if (!next.begins_use())
    return;
  const PartParameters part = part_parameters(shape_of(next), next.part);
  gathered_for_turn(unit) = gather(part.read, gathered_weights(stage_.job, part), occasion_of(next));
}

void DataParallel::copy_out(const Unit& unit) {
  if (!unit.begins_use())
    return;
  const Operator copy = copy_gathered(stage_.job, part_parameters(shape_of(unit), unit.part).read);
  if (copy.bytes > Bytes())
    writer_.follow(tables_.step(kernel("copy-parameters", copy), Phase::Parameters));
}

void DataParallel::reduce_after_turn(std::size_t unit) {
  const Unit& done = units_[unit];
  const RankParameters parameters = done.completes_gradients() ? completed_by(shape_of(done), done) : RankParameters();
  if (!training().shards_gradients()) {
    if (training().overlap.grad_reduce)
      reduce_bucket(done.in_last_backward ? parameters : RankParameters(),
                    {.layer = shape_of(done).layer_of(done.part), .chunk = done.chunk}, unit + 1 == units_.size());
    return;
  }
  if (!done.completes_gradients())
    return;
  Reductions added = reduce(parameters, occasion_of(done));
  if (!training().overlap.grad_reduce)
    return finish(added);
  add(latest_reductions_);
  latest_reductions_ = std::move(added);
}

void DataParallel::reduce_bucket(const RankParameters& added, const Occasion& occasion, bool is_last) {
  bucket_ += added;
  const RankParameters full = full_buckets(stage_.job, bucket_, is_last);
  bucket_.dense -= full.dense;
  bucket_.expert -= full.expert;
  add(reduce(full, occasion));
}

void DataParallel::add(const Reductions& more) {
  reductions_.steps.insert(reductions_.steps.end(), more.steps.begin(), more.steps.end());
  reductions_.parameters += more.parameters;
}

void DataParallel::finish(Reductions& reductions) {
  writer_.wait_for(reductions.steps);
  decompress(reductions.parameters);
  reductions = {};
}

// What is sent lies beside the gradient until its sum is decompressed.
void DataParallel::compress(const RankParameters& parameters) {
  const Bytes gradients = compressible(stage_.job, parameters);
  if (!training().grad_compression || gradients == Bytes())
    return;
  Segment segment = kernel("compress-gradients", compress_gradients(training(), gradients));
  segment.work.allocated[Memory::Gradients] = *training().grad_compression * gradients;
  writer_.follow(tables_.step(segment, Phase::Gradients));
}

// Of a sum that is scattered each rank has its share.
void DataParallel::decompress(const RankParameters& parameters) {
  const Bytes gradients = compressible(stage_.job, parameters);
  if (!training().grad_compression || gradients == Bytes())
    return;
  const Bytes received(training().gradient_bytes() *
                       optimizer_share(stage_.job, with_replicas(stage_.job, parameters)));
  Segment segment = kernel("decompress-gradients", compress_gradients(training(), received));
  segment.work.freed[Memory::Gradients] = *training().grad_compression * gradients;
  writer_.follow(tables_.step(segment, Phase::Gradients));
}

// `memory` is what the gathered parameters take, where the rank does not hold them all the time.
DataParallel::Indices DataParallel::gather(const RankParameters& parameters, const RankBytes& memory,
                                           const Occasion& occasion) {
  const RankBytes gathered = gathered_bytes(training(), parameters);
  Segment dense{"gather-parameters", Kind::AllGather, Dimension::Dp, {}};
  dense.work.bytes = gathered.dense;
  dense.work.allocated[Memory::Weights] = memory.dense;
  Segment expert{"gather-expert-parameters", Kind::AllGather, Dimension::Edp, {}};
  expert.work.bytes = gathered.expert;
  expert.work.allocated[Memory::Weights] = memory.expert;
  Indices added;
  over_replicas(dense, Phase::Parameters, occasion, added);
  over_replicas(expert, Phase::Parameters, occasion, added);
  return added;
}

DataParallel::Reductions DataParallel::reduce(const RankParameters& parameters, const Occasion& occasion) {
  compress(parameters);
  const Kind kind = training().shards_optimizer() ? Kind::ReduceScatter : Kind::AllReduce;
  const RankBytes summed = reduced_bytes(training(), parameters);
  const RankBytes bucket = gradient_bucket(stage_.job, parameters);
  Segment dense{"reduce-gradients", kind, Dimension::Dp, {}};
  dense.work.bytes = summed.dense;
  dense.work.freed[Memory::Gradients] = bucket.dense;
  Segment expert{"reduce-expert-gradients", kind, Dimension::Edp, {}};
  expert.work.bytes = summed.expert;
  expert.work.freed[Memory::Gradients] = bucket.expert;
  Reductions added{{}, parameters};
  over_replicas(dense, Phase::Gradients, occasion, added.steps);
  over_replicas(expert, Phase::Gradients, occasion, added.steps);
  return added;
}

// Adds a collective over data-parallel ranks, unless there is nothing to send or nobody to send it to; the indices of
// what was added go to `added`.
void DataParallel::over_replicas(const Segment& segment, Phase phase, const Occasion& occasion, Indices& added) {
  if (segment.work.bytes == Bytes() || stage_.job.sizes.group_size(segment.over) == 1)
    return;
  graph::Step step = tables_.step(segment, phase);
  step.task.layer = static_cast<std::int16_t>(occasion.layer);
  step.task.micro_batch = occasion.micro_batch;
  step.task.chunk = occasion.chunk;
  added.push_back(writer_.beside(step));
}

} // namespace moesim::workloads
