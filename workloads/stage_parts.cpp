#include "workloads/stage_parts.hpp"

#include <utility>

#include "workloads/part_state.hpp"
#include "workloads/split_backward.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::Phase;

// A turn that ends with giving back the weights that were gathered for it.
Segments last_with(Bytes weights, Segments segments) {
  segments.back().work.freed[Memory::Weights] += weights;
  return segments;
}

Segments first_with(Bytes gradients, Segments segments) {
  segments.front().work.allocated[Memory::Gradients] += gradients;
  return segments;
}

class PartsMaker {
public:
  PartsMaker(const TrainingJob& job, Backwards backwards, ProgramTables& tables)
      : job_(job), shape_(job.micro_batch()), splits_(backwards == Backwards::Split), tables_(tables) {}

  StageParts make() {
    StageParts parts;
    for (std::int64_t layer = 0; layer < job_.model.num_layers; ++layer) {
      const LayerKind kind = job_.model.kind_of(layer);
      if (!parts.layers.contains(kind))
        parts.layers[kind] = layer_steps(kind, layer_part(job_, kind));
    }
    const PartParameters embedding = embedding_part(job_);
    parts.embedding_forward = tables_.steps(
        last_with(gathered_weights(job_, embedding).total(), embedding_forward(job_.model, shape_)), Phase::Forward);
    parts.embedding_backward = backward_steps(embedding, embedding_backward(job_.model, shape_)).whole;
    add_head(parts);
    parts.activation = tables_.transfer("activation", boundary_bytes(job_.model, shape_), Phase::Forward);
    parts.gradient = tables_.transfer("gradient", boundary_bytes(job_.model, shape_), Phase::Backward);
    return parts;
  }

private:
  // With a buffer for the gradients, which is given back once these are reduce-scattered.
  BackwardSteps backward_steps(const PartParameters& part, const Segments& backward) {
    const Bytes gradients = gradient_bucket(job_, part.begun).total();
    const Bytes weights = gathered_weights(job_, part).total();
    BackwardSteps steps;
    steps.whole = tables_.steps(last_with(weights, first_with(gradients, backward)), Phase::Backward);
    if (!splits_)
      return steps;
    const SplitBackward split = split_backward(backward);
    steps.input = tables_.steps(last_with(weights, split.input), Phase::Backward);
    if (!split.weight.empty())
      steps.weight = tables_.steps(first_with(gradients, split.weight), Phase::BackwardWeight);
    return steps;
  }

  // `part` is empty of a layer that is within the turn of another part.
  LayerSteps layer_steps(LayerKind kind, const PartParameters& part) {
    const Segments forward = layer_forward(job_.model, shape_, kind);
    const Bytes weights = gathered_weights(job_, part).total();
    LayerSteps steps;
    steps.forward = tables_.steps(last_with(weights, forward), Phase::Forward);
    steps.backward = backward_steps(part, layer_backward(job_.model, shape_, kind));
    if (!job_.training.recompute.is_full())
      return steps;
    const Bytes input = boundary_bytes(job_.model, shape_);
    const Segments unkept = last_with(weights, without_keeping(forward));
    steps.unkept = {tables_.steps(unkept, Phase::Forward), tables_.steps(keeping_input(unkept, input), Phase::Forward)};
    steps.again = {tables_.steps(forward, Phase::Backward),
                   tables_.steps(input_kept_before(forward, input), Phase::Backward)};
    return steps;
  }

  // The head's turn begins and ends with a head, also with modules for multi-token prediction, each of which has one.
  void add_head(StageParts& parts) {
    const PartParameters part = head_part(job_);
    const std::int64_t modules = job_.model.mtp_layers;
    for (std::int64_t at = 0; at <= modules; ++at) {
      // The backward begins with the last module's and ends with the head's own.
      const PartParameters backward{.read = at == 0 ? part.read : RankParameters(),
                                    .cast_copies = at == 0 ? part.cast_copies : RankParameters(),
                                    .begun = at == modules ? part.begun : RankParameters(),
                                    .completed = {}};
      const Bytes weights = at == modules ? gathered_weights(job_, part).total() : Bytes();
      parts.head_forward.push_back(tables_.steps(last_with(weights, head_forward(job_.model, shape_)), Phase::Forward));
      parts.head_backward.push_back(backward_steps(backward, head_backward(job_.model, shape_)));
    }
    parts.mtp_layer = layer_steps(job_.model.kind_of(job_.model.num_layers - 1), {});
    parts.mtp_input_forward = tables_.steps(mtp_input_forward(job_.model, shape_), Phase::Forward);
    parts.mtp_input_backward = backward_steps({}, mtp_input_backward(job_.model, shape_));
  }

  const TrainingJob& job_;
  MicroBatchShape shape_;
  bool splits_;
  ProgramTables& tables_;
};

} // namespace

StageParts make_parts(const TrainingJob& job, Backwards backwards, ProgramTables& tables) {
  return PartsMaker(job, backwards, tables).make();
}

} // namespace moesim::workloads
