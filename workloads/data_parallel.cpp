#include "workloads/data_parallel.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Phase;

// Gathers, at the start of the iteration, what the optimizer step of the one before has left scattered: the same
// traffic as after this iteration's own step, moved to where it can hide.
void DataParallel::begin() {
  if (training().sharding == Sharding::None || !training().overlap.param_gather)
    return;
  gathered_.resize(static_cast<std::size_t>(stage_.head()) + 1);
  for (std::int64_t part = stage_.first_part(); part <= stage_.last_part(); ++part)
    gathered_[static_cast<std::size_t>(part)] = gather(part_parameters(stage_, part), stage_.layer_of(part));
}

void DataParallel::before(std::size_t unit) {
  const Unit& next = units_[unit];
  if (next.runs == Unit::Runs::Forward && next.micro_batch == 0 && !gathered_.empty())
    writer_.wait_for(gathered_[static_cast<std::size_t>(next.part)]);
}

void DataParallel::after(std::size_t unit) {
  const Unit& done = units_[unit];
  if (!done.runs_backward() || !done.in_last_backward || !training().overlap.grad_reduce)
    return;
  const Indices reductions = reduce(part_parameters(stage_, done.part), stage_.layer_of(done.part));
  reductions_.insert(reductions_.end(), reductions.begin(), reductions.end());
}

void DataParallel::finish_gradients() {
  if (!training().overlap.grad_reduce)
    reductions_ = reduce(stage_parameters(stage_.job, stage_.index), -1);
  writer_.wait_for(reductions_);
}

void DataParallel::after_optimizer_step() {
  if (training().sharding != Sharding::None && !training().overlap.param_gather)
    gather(stage_parameters(stage_.job, stage_.index), -1);
}

DataParallel::Indices DataParallel::gather(const RankParameters& parameters, std::int64_t layer) {
  const double bytes = bytes_per_element(precision_outside_products(training().precision));
  Indices added;
  over_replicas("gather-parameters", Kind::AllGather, Dimension::Dp, Phase::Parameters, bytes * parameters.dense, layer,
                added);
  over_replicas("gather-expert-parameters", Kind::AllGather, Dimension::Edp, Phase::Parameters,
                bytes * parameters.expert, layer, added);
  return added;
}

DataParallel::Indices DataParallel::reduce(const RankParameters& parameters, std::int64_t layer) {
  const Kind kind = training().sharding == Sharding::None ? Kind::AllReduce : Kind::ReduceScatter;
  Indices added;
  over_replicas("reduce-gradients", kind, Dimension::Dp, Phase::Gradients, gradient_bytes * parameters.dense, layer,
                added);
  over_replicas("reduce-expert-gradients", kind, Dimension::Edp, Phase::Gradients, gradient_bytes * parameters.expert,
                layer, added);
  return added;
}

// Adds a collective over data-parallel ranks, unless there is nothing to send or nobody to send it to; the indices of
// what was added go to `added`.
void DataParallel::over_replicas(const char* name, Kind kind, Dimension over, Phase phase, double bytes,
                                 std::int64_t layer, Indices& added) {
  if (bytes == 0 || stage_.job.sizes.group_size(over) == 1)
    return;
  Segment segment{name, kind, over, {}};
  segment.work.bytes = Bytes(bytes);
  graph::Step step = tables_.step(segment, phase);
  step.task.layer = static_cast<std::int16_t>(layer);
  added.push_back(writer_.beside(step));
}

} // namespace moesim::workloads
