#include "workloads/optimizer_step.hpp"

#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Phase;
using graph::Stream;

namespace {

graph::Work work_of(const Operator& op) {
  graph::Work work;
  work.operators = {op};
  work.bytes = op.bytes;
  return work;
}

} // namespace

Bytes replicated_gradients(const StageShape& stage) {
  if (!stage.job.sequence_parallel)
    return {};
  const ModelSpec& model = stage.job.model;
  const auto hidden = static_cast<double>(model.hidden_size);
  const auto of_layer = [&](LayerKind kind) {
    const bool has_mlp_bias = model.mlp_bias && !kind.has_experts;
    return replicated_parameters(model, kind) + (model.output_bias ? hidden : 0) + (has_mlp_bias ? hidden : 0);
  };
  double parameters = 0;
  for (std::int64_t part = 1; part <= stage.layers; ++part)
    parameters += of_layer(stage.kind_of(part));
  if (stage.is_last) { // each module for multi-token prediction has a layer like the last, and three norms
    const double module = of_layer(model.kind_of(model.num_layers - 1)) + 3 * norm_parameters(model);
    parameters += norm_parameters(model) + static_cast<double>(model.mtp_layers) * module;
  }
  return Bytes(stage.job.training.gradient_bytes() * gradient_share(stage.job, {.dense = parameters}));
}

void reduce_replicated_gradients(const StageShape& stage, ProgramTables& tables, StageWriter& writer) {
  if (!stage.job.sequence_parallel)
    return;
  Segment segment{"reduce-norm-gradients", Kind::AllReduce, Dimension::Tp, {}};
  segment.work.bytes = replicated_gradients(stage);
  writer.follow(tables.step(segment, Phase::Gradients));
}

bool exchanges_embedding_gradient(const StageShape& stage) {
  return holds_embedding_twice(stage.job) && stage.is_first != stage.is_last;
}

Bytes exchanged_embedding_gradient(const TrainingJob& job) {
  return Bytes(job.training.gradient_bytes() * gradient_share(job, {.dense = vocabulary_share(job)}));
}

Operator add_embedding_gradient(const TrainingJob& job) {
  Operator sum;
  sum.pass = Pass::Backward;
  sum.bytes = exchanged_embedding_gradient(job) * 3; // reads both, writes one
  return sum;
}

void exchange_embedding_gradient(const StageShape& stage, ProgramTables& tables, StageWriter& writer) {
  if (!exchanges_embedding_gradient(stage))
    return;
  Segment segment{"embedding-gradient", Kind::SendRecv, Dimension::Tp, {}};
  segment.work.bytes = exchanged_embedding_gradient(stage.job);
  graph::Step transfer = tables.step(segment, Phase::Gradients);
  transfer.peer_stage = static_cast<std::uint32_t>(stage.is_first ? stage.job.sizes.pp - 1 : 0);
  transfer.task.stream = stage.is_first ? Stream::PpSendNext : Stream::PpSendPrev;
  const StageWriter::Index sent = writer.beside(transfer);
  transfer.task.stream = stage.is_first ? Stream::PpSendPrev : Stream::PpSendNext;
  transfer.receives = true;
  writer.wait_for({sent, writer.beside(transfer)});
  writer.follow(
      tables.step({"add-embedding-gradient", Kind::Compute, Dimension::Tp, work_of(add_embedding_gradient(stage.job))},
                  Phase::Gradients));
}

Operator adam(const TrainingJob& job, const RankParameters& parameters) {
  // Adam reads gradient, FP32 weight and both moments, writes the latter three and, if it is another, the weight that
  // the kernels read.
  const double state_bytes = 3 * bytes_per_element(Precision::Fp32);
  const Precision precision = precision_outside_products(job.training.precision);
  const double weight_bytes = precision == Precision::Fp32 ? 0 : bytes_per_element(precision);
  const double bytes = job.training.gradient_bytes() + 2 * state_bytes + weight_bytes;
  Operator step;
  step.bytes = Bytes(bytes * optimizer_share(job, parameters));
  return step;
}

void step_optimizer(const StageShape& stage, ProgramTables& tables, StageWriter& writer) {
  const Operator step = adam(stage.job, stage_parameters(stage.job, stage.index));
  writer.follow(tables.step({"adam", Kind::Compute, Dimension::Tp, work_of(step)}, Phase::Optimizer));
}

} // namespace moesim::workloads
