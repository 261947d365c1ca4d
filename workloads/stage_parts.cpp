#include "workloads/stage_parts.hpp"

namespace moesim::workloads {
namespace {

using graph::Phase;

LayerSteps layer_steps(const TrainingJob& job, LayerKind kind, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  const Segments forward = layer_forward(job.model, shape, kind);
  LayerSteps steps;
  steps.forward = tables.steps(forward, Phase::Forward);
  steps.backward = tables.steps(layer_backward(job.model, shape, kind), Phase::Backward);
  if (!job.training.recompute.is_full())
    return steps;
  const Bytes input = boundary_bytes(job.model, shape);
  steps.unkept = {tables.steps(without_keeping(forward), Phase::Forward),
                  tables.steps(keeping_input(without_keeping(forward), input), Phase::Forward)};
  steps.again = {tables.steps(forward, Phase::Backward),
                 tables.steps(input_kept_before(forward, input), Phase::Backward)};
  return steps;
}

} // namespace

StageParts make_parts(const TrainingJob& job, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  StageParts parts;
  for (std::int64_t layer = 0; layer < job.model.num_layers; ++layer) {
    const LayerKind kind = job.model.kind_of(layer);
    if (!parts.layers.contains(kind))
      parts.layers[kind] = layer_steps(job, kind, tables);
  }
  parts.embedding_forward = tables.steps(embedding_forward(job.model, shape), Phase::Forward);
  parts.embedding_backward = tables.steps(embedding_backward(job.model, shape), Phase::Backward);
  parts.head_forward = tables.steps(head_forward(job.model, shape), Phase::Forward);
  parts.head_backward = tables.steps(head_backward(job.model, shape), Phase::Backward);
  Segment transfer{"activation", graph::Kind::SendRecv, graph::Dimension::Tp, {}};
  transfer.work.bytes = boundary_bytes(job.model, shape);
  transfer.work.allocated[graph::Memory::Communication] = transfer.work.bytes;
  transfer.work.freed[graph::Memory::Communication] = transfer.work.bytes;
  parts.activation = tables.step(transfer, Phase::Forward);
  parts.activation.task.stream = graph::Stream::PpSendNext;
  transfer.name = "gradient";
  parts.gradient = tables.step(transfer, Phase::Backward);
  parts.gradient.task.stream = graph::Stream::PpSendPrev;
  return parts;
}

} // namespace moesim::workloads
