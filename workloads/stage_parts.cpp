#include "workloads/stage_parts.hpp"

#include <utility>

#include "workloads/part_state.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::Phase;

// A turn that ends with giving back the weights that were gathered for it.
Segments last_with(Bytes weights, Segments segments) {
  segments.back().work.freed[Memory::Weights] += weights;
  return segments;
}

// A backward with a buffer for the gradients, which is given back once these are reduce-scattered.
Segments backward_with(const TrainingJob& job, const PartParameters& part, Segments backward) {
  backward.front().work.allocated[Memory::Gradients] += gradient_bucket(job, part.begun).total();
  return last_with(gathered_weights(job, part).total(), std::move(backward));
}

// `part` is empty of a layer that is within the turn of another part.
LayerSteps layer_steps(const TrainingJob& job, LayerKind kind, const PartParameters& part, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  const Segments forward = layer_forward(job.model, shape, kind);
  const Bytes weights = gathered_weights(job, part).total();
  LayerSteps steps;
  steps.forward = tables.steps(last_with(weights, forward), Phase::Forward);
  steps.backward = tables.steps(backward_with(job, part, layer_backward(job.model, shape, kind)), Phase::Backward);
  if (!job.training.recompute.is_full())
    return steps;
  const Bytes input = boundary_bytes(job.model, shape);
  const Segments unkept = last_with(weights, without_keeping(forward));
  steps.unkept = {tables.steps(unkept, Phase::Forward), tables.steps(keeping_input(unkept, input), Phase::Forward)};
  steps.again = {tables.steps(forward, Phase::Backward),
                 tables.steps(input_kept_before(forward, input), Phase::Backward)};
  return steps;
}

// The head's turn begins and ends with a head, also with modules for multi-token prediction, each of which has one.
void add_head(const TrainingJob& job, StageParts& parts, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  const PartParameters part = head_part(job);
  const std::int64_t modules = job.model.mtp_layers;
  for (std::int64_t at = 0; at <= modules; ++at) {
    // The backward begins with the last module's and ends with the head's own.
    const PartParameters backward{.read = at == 0 ? part.read : RankParameters(),
                                  .fp8_copies = at == 0 ? part.fp8_copies : RankParameters(),
                                  .begun = at == modules ? part.begun : RankParameters(),
                                  .completed = {}};
    const Bytes weights = at == modules ? gathered_weights(job, part).total() : Bytes();
    parts.head_forward.push_back(tables.steps(last_with(weights, head_forward(job.model, shape)), Phase::Forward));
    parts.head_backward.push_back(
        tables.steps(backward_with(job, backward, head_backward(job.model, shape)), Phase::Backward));
  }
  parts.mtp_layer = layer_steps(job, job.model.kind_of(job.model.num_layers - 1), {}, tables);
  parts.mtp_input_forward = tables.steps(mtp_input_forward(job.model, shape), Phase::Forward);
  parts.mtp_input_backward = tables.steps(mtp_input_backward(job.model, shape), Phase::Backward);
}

} // namespace

StageParts make_parts(const TrainingJob& job, ProgramTables& tables) {
  const MicroBatchShape shape = job.micro_batch();
  StageParts parts;
  for (std::int64_t layer = 0; layer < job.model.num_layers; ++layer) {
    const LayerKind kind = job.model.kind_of(layer);
    if (!parts.layers.contains(kind))
      parts.layers[kind] = layer_steps(job, kind, layer_part(job, kind), tables);
  }
  const PartParameters embedding = embedding_part(job);
  parts.embedding_forward = tables.steps(
      last_with(gathered_weights(job, embedding).total(), embedding_forward(job.model, shape)), Phase::Forward);
  parts.embedding_backward =
      tables.steps(backward_with(job, embedding, embedding_backward(job.model, shape)), Phase::Backward);
  add_head(job, parts, tables);
  parts.activation = tables.transfer("activation", boundary_bytes(job.model, shape), Phase::Forward);
  parts.activation.task.stream = graph::Stream::PpSendNext;
  parts.gradient = tables.transfer("gradient", boundary_bytes(job.model, shape), Phase::Backward);
  parts.gradient.task.stream = graph::Stream::PpSendPrev;
  return parts;
}

} // namespace moesim::workloads
