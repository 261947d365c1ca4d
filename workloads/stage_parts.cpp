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

// Of each parameter of an expert that changes its rank: the weight, and this rank's share of what the optimizer keeps.
double moved_bytes(const TrainingJob& job) {
  const RankParameters expert{.dense = 0, .expert = 1};
  return bytes_per_element(precision_outside_products(job.training.precision)) +
         optimizer_share(job, expert) * job.training.optimizer_bytes();
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
    parts.embedding_backward = backward_steps(embedding, alike(embedding_backward(job_.model, shape_))).whole;
    add_head(parts);
    parts.expert_moves = tables_.expert_moves(job_.model, shape_, moved_bytes(job_));
    parts.activation = tables_.transfer("activation", sent_bytes(job_), Phase::Forward);
    parts.gradient = tables_.transfer("gradient", sent_bytes(job_), Phase::Backward);
    if (job_.gathers_received()) {
      parts.gather_activation = tables_.steps(gather_received(job_.model, shape_), Phase::Forward);
      parts.gather_gradient = tables_.steps(gather_received(job_.model, shape_), Phase::Backward);
    }
    return parts;
  }

private:
  using SegmentsOf = ProgramTables::SegmentsOf;

  // What is the same whatever the experts have to do.
  static SegmentsOf alike(Segments segments) {
    return [segments = std::move(segments)](const RankLoad*) { return segments; };
  }

  // Of a part with experts for each load, of others once.
  [[nodiscard]] std::vector<SegmentStep> steps(LayerKind kind, const SegmentsOf& segments_of, Phase phase) {
    return kind.has_experts ? tables_.steps(segments_of, phase) : tables_.steps(segments_of(nullptr), phase);
  }

  // With a buffer for the gradients, which is given back once these are reduce-scattered.
  BackwardSteps backward_steps(const PartParameters& part, const SegmentsOf& backward, LayerKind kind = {}) {
    const Bytes gradients = gradient_bucket(job_, part.begun).total();
    const Bytes weights = gathered_weights(job_, part).total();
    const auto whole = [&](const RankLoad* load) { return last_with(weights, first_with(gradients, backward(load))); };
    BackwardSteps result;
    result.whole = steps(kind, whole, Phase::Backward);
    if (!splits_)
      return result;
    const auto input = [&](const RankLoad* load) { return last_with(weights, split_backward(backward(load)).input); };
    result.input = steps(kind, input, Phase::Backward);
    if (!split_backward(backward(nullptr)).weight.empty())
      result.weight = steps(
          kind, [&](const RankLoad* load) { return first_with(gradients, split_backward(backward(load)).weight); },
          Phase::BackwardWeight);
    return result;
  }

  // `part` is empty of a layer that is within the turn of another part.
  LayerSteps layer_steps(LayerKind kind, const PartParameters& part) {
    const SegmentsOf forward = [&](const RankLoad* load) { return layer_forward(job_.model, shape_, kind, load); };
    const SegmentsOf backward = [&](const RankLoad* load) { return layer_backward(job_.model, shape_, kind, load); };
    const Bytes weights = gathered_weights(job_, part).total();
    LayerSteps result;
    result.forward = steps(
        kind, [&](const RankLoad* load) { return last_with(weights, forward(load)); }, Phase::Forward);
    result.backward = backward_steps(part, backward, kind);
    if (!job_.training.recompute.is_full())
      return result;
    const Bytes input = boundary_bytes(job_.model, shape_);
    const SegmentsOf unkept = [&](const RankLoad* load) { return last_with(weights, without_keeping(forward(load))); };
    const SegmentsOf kept = [&](const RankLoad* load) { return keeping_input(unkept(load), input); };
    const Until until = job_.training.recompute_early_stop ? Until::Needed : Until::End;
    const SegmentsOf repeated = [&](const RankLoad* load) {
      return layer_forward(job_.model, shape_, kind, load, until);
    };
    const SegmentsOf again = [&](const RankLoad* load) { return input_kept_before(repeated(load), input); };
    result.unkept = {steps(kind, unkept, Phase::Forward), steps(kind, kept, Phase::Forward)};
    result.again = {steps(kind, repeated, Phase::Backward), steps(kind, again, Phase::Backward)};
    return result;
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
      parts.head_backward.push_back(backward_steps(backward, alike(head_backward(job_.model, shape_))));
    }
    parts.mtp_layer = layer_steps(job_.model.kind_of(job_.model.num_layers - 1), {});
    parts.mtp_input_forward = tables_.steps(mtp_input_forward(job_.model, shape_), Phase::Forward);
    parts.mtp_input_backward = backward_steps({}, alike(mtp_input_backward(job_.model, shape_)));
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
