#include "workloads/segments.hpp"

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

} // namespace

void enter_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes) {
  if (at.shape.sequence_parallel)
    list.collective(name, Kind::AllGather, Dimension::Tp, bytes);
}

void leave_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes) {
  list.collective(name, at.shape.sequence_parallel ? Kind::ReduceScatter : Kind::AllReduce, Dimension::Tp, bytes);
}

void enter_region(SegmentList& list, const RankShape& at, std::string_view name) {
  enter_region(list, at, name, at.hidden(at.tokens()));
}

void leave_region(SegmentList& list, const RankShape& at, std::string_view name) {
  leave_region(list, at, name, at.hidden(at.tokens()));
}

void add_residual(SegmentList& list, const RankShape& at) {
  if (at.model.post_norms)
    list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  list.unnamed(at.passes(residual_passes, Pass::Forward));
}

Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind) {
  const RankShape at{model, shape, kind};
  SegmentList list(shape);
  attention_forward(list, at);
  if (kind.has_experts)
    moe_forward(list, at);
  else
    dense_forward(list, at);
  return list.finish(layer_activations(model, shape, kind), Bytes(0));
}

Segments layer_backward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind) {
  const RankShape at{model, shape, kind};
  SegmentList list(shape);
  if (kind.has_experts)
    moe_backward(list, at);
  else
    dense_backward(list, at);
  attention_backward(list, at);
  return list.finish(Bytes(0), layer_activations(model, shape, kind));
}

std::string_view name_of(Recompute recompute) {
  return recompute == Recompute::Full ? "full" : "none";
}

LayerPasses layer_passes(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind, Recompute recompute) {
  LayerPasses passes{layer_forward(model, shape, kind), layer_backward(model, shape, kind)};
  if (recompute == Recompute::None)
    return passes;
  Segments again = passes.forward;
  const Bytes input = boundary_bytes(model, shape);
  passes.forward.front().work.allocated = input; // a layer starts with a kernel
  again.front().work.allocated -= input;
  passes.backward.insert(passes.backward.begin(), again.begin(), again.end());
  return passes;
}

Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind) {
  const RankShape at{model, shape, kind};
  // Inputs and outputs of the norms before attention and MLP, and the inputs of those after, split along the sequence.
  const double kept_by_norms = model.post_norms ? 6 : 4;
  return kept_by_norms * at.hidden(at.local()) + attention_activations(at) +
         (kind.has_experts ? moe_activations(at) : dense_activations(at));
}

Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape) {
  return shape.activation(shape.local_tokens(), model.hidden_size);
}

} // namespace moesim::workloads
