#include "workloads/optimizer_step.hpp"

#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {

using graph::Dimension;
using graph::Kind;
using graph::Phase;
using graph::Stream;

namespace {

// A kernel over all of a rank's parameters, launched while communication is waited for: that costs the host nothing.
graph::Work work_of(const Operator& op) {
  graph::Work work;
  work.operators = {op};
  work.operators.front().launches = 0;
  work.bytes = op.bytes;
  return work;
}

} // namespace

Bytes replicated_gradients(const PipelineStage& stage) {
  if (!stage.job.sequence_parallel)
    return {};
  const ModelSpec& model = stage.job.model;
  const auto hidden = static_cast<double>(model.hidden_size);
  const auto of_layer = [&](LayerKind kind) {
    const bool has_mlp_bias = model.mlp_bias && !kind.has_experts;
    return replicated_parameters(model, kind) + (model.output_bias ? hidden : 0) + (has_mlp_bias ? hidden : 0);
  };
  double parameters = 0;
  for (const StageShape& chunk : stage.owned())
    for (std::int64_t part = 1; part <= chunk.layers; ++part)
      parameters += of_layer(chunk.kind_of(part));
  if (stage.owns_last()) { // each module for multi-token prediction has a layer like the last, and three norms
    const double module = of_layer(model.kind_of(model.num_layers - 1)) + 3 * norm_parameters(model);
    parameters += norm_parameters(model) + static_cast<double>(model.mtp_layers) * module;
  }
  return Bytes(stage.job.training.gradient_bytes() * gradient_share(stage.job, {.dense = parameters}));
}

void reduce_replicated_gradients(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer) {
  if (!stage.job.sequence_parallel)
    return;
  Segment segment{"reduce-norm-gradients", Kind::AllReduce, Dimension::Tp, {}};
  segment.work.bytes = replicated_gradients(stage);
  writer.follow(tables.step(segment, Phase::Gradients));
}

bool exchanges_embedding_gradient(const PipelineStage& stage) {
  return holds_embedding_twice(stage.job) && stage.owns_first() != stage.owns_last();
}

Bytes exchanged_embedding_gradient(const TrainingJob& job) {
  return Bytes(job.training.gradient_bytes() * gradient_share(job, {.dense = vocabulary_share(job)}));
}

namespace {

// What a stage and another send each other.
struct Exchange {
  const char* name = "";
  Phase phase = Phase::Gradients;
  std::int64_t peer = 0;
  Bytes sent;
  Bytes received;
};

// What comes next on the stage has what came from the other.
void exchange(const PipelineStage& stage, const Exchange& what, ProgramTables& tables, StageWriter& writer) {
  const std::int64_t peer = what.peer;
  const auto step = [&](Bytes bytes) {
    Segment segment{what.name, Kind::SendRecv, Dimension::Tp, {}};
    segment.work.bytes = bytes;
    return tables.step(segment, what.phase);
  };
  Transfer sent{step(what.sent), peer, -1};
  Transfer received{step(what.received), peer, -1};
  sent.step.task.stream = stage.index < peer ? Stream::PpSendNext : Stream::PpSendPrev;
  received.step.task.stream = stage.index < peer ? Stream::PpSendPrev : Stream::PpSendNext;
  const StageWriter::Index to = writer.send(sent);
  writer.wait_for({to, writer.receive(received, writer.chain())});
}

void add_up(const char* name, const Operator& sum, ProgramTables& tables, StageWriter& writer) {
  writer.follow(tables.step({name, Kind::Compute, Dimension::Tp, work_of(sum)}, Phase::Gradients));
}

// Reads both gradients, writes one.
Operator sum_of_gradients(Bytes gradient) {
  Operator sum;
  sum.pass = Pass::Backward;
  sum.bytes = gradient * 3;
  return sum;
}

// Where the other copy of a stage's parts is.
std::int64_t mirror_of(const PipelineStage& stage) {
  return stage.job.sizes.pp - 1 - stage.index;
}

// Of a parameter, by PyTorch's operations on FP32 shares (Composer, optim/decoupled_weight_decay.py): the gradient is
// read for its norm, and scaled by it; both moments decay and are added to; root, quotient and sum make the
// denominator; the weight is read and written with it and a moment.
constexpr double fp32_values_of_operations = (1 + 2) + (2 + 3) + (2 + 3) + (2 + 2 + 2) + (2 + 2);

double count(const RankParameters& parameters) {
  return parameters.dense + parameters.expert;
}

} // namespace

Operator add_embedding_gradient(const TrainingJob& job) {
  return sum_of_gradients(exchanged_embedding_gradient(job));
}

void exchange_embedding_gradient(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer) {
  if (!exchanges_embedding_gradient(stage))
    return;
  const Bytes bytes = exchanged_embedding_gradient(stage.job);
  exchange(stage,
           {"embedding-gradient", Phase::Gradients, stage.owns_first() ? stage.job.sizes.pp - 1 : 0, bytes, bytes},
           tables, writer);
  add_up("add-embedding-gradient", add_embedding_gradient(stage.job), tables, writer);
}

void add_gradients_of_copies(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer) {
  if (!stage.job.has_two_copies())
    return;
  const Bytes owned(stage.job.training.gradient_bytes() * count(owned_parameters(stage.job, stage.index)));
  const Bytes others(stage.job.training.gradient_bytes() * count(owned_parameters(stage.job, mirror_of(stage))));
  exchange(stage, {"copy-gradient", Phase::Gradients, mirror_of(stage), others, owned}, tables, writer);
  add_up("add-copy-gradient", sum_of_gradients(owned), tables, writer);
}

void send_parameters_to_copies(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer) {
  if (!stage.job.has_two_copies())
    return;
  const double bytes = bytes_per_element(precision_outside_products(stage.job.training.precision));
  const Bytes owned(bytes * count(owned_parameters(stage.job, stage.index)));
  const Bytes others(bytes * count(owned_parameters(stage.job, mirror_of(stage))));
  exchange(stage, {"copy-parameters", Phase::Parameters, mirror_of(stage), owned, others}, tables, writer);
}

Operator adam(const TrainingJob& job, const RankParameters& parameters) {
  if (!job.training.fused_optimizer) {
    const double operations = fp32_values_of_operations * bytes_per_element(Precision::Fp32);
    // FSDP casts weights when it gathers them, others do it here.
    const Precision read = precision_outside_products(job.training.precision);
    const bool casts = job.training.sharding != Sharding::Zero3 && read != Precision::Fp32;
    Operator step;
    step.bytes = Bytes((operations + (casts ? bytes_per_element(Precision::Fp32) + bytes_per_element(read) : 0)) *
                       optimizer_share(job, parameters));
    return step;
  }
  // Adam reads and writes the master weight and both moments, reads the gradient and writes the weight that the kernels
  // read; FP32 weights are their own masters, and read, too.
  const Precision precision = precision_outside_products(job.training.precision);
  const double weight_bytes = (precision == Precision::Fp32 ? 2 : 1) * bytes_per_element(precision);
  const double bytes = job.training.gradient_bytes() + 2 * job.training.optimizer_bytes() + weight_bytes;
  Operator step;
  step.bytes = Bytes(bytes * optimizer_share(job, parameters));
  return step;
}

void step_optimizer(const PipelineStage& stage, ProgramTables& tables, StageWriter& writer) {
  const Operator step = adam(stage.job, owned_parameters(stage.job, stage.index));
  writer.follow(tables.step({"adam", Kind::Compute, Dimension::Tp, work_of(step)}, Phase::Optimizer));
}

} // namespace moesim::workloads
