#include "workloads/segments.hpp"

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

} // namespace

void enter_region(SegmentList& list, const RankShape& at, std::string_view name) {
  if (at.shape.sequence_parallel)
    list.collective(name, Kind::AllGather, Dimension::Tp, at.hidden(at.tokens()));
}

void leave_region(SegmentList& list, const RankShape& at, std::string_view name) {
  list.collective(name, at.shape.sequence_parallel ? Kind::ReduceScatter : Kind::AllReduce, Dimension::Tp,
                  at.hidden(at.tokens()));
}

Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape};
  SegmentList list(shape);
  attention_forward(list, at);
  if (model.moe)
    moe_forward(list, at);
  else
    dense_forward(list, at);
  return list.finish(layer_activations(model, shape), Bytes(0));
}

Segments layer_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape};
  SegmentList list(shape);
  if (model.moe)
    moe_backward(list, at);
  else
    dense_backward(list, at);
  attention_backward(list, at);
  return list.finish(Bytes(0), layer_activations(model, shape));
}

Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape};
  // Both norms' inputs and outputs, split along the sequence; queries, keys, values and the attention's output.
  Bytes kept = 4 * at.hidden(at.local()) + at.wide(at.tokens(), at.qkv_width() + at.query_width());
  // FlashAttention keeps one FP32 statistic per query and head instead of the scores.
  kept += at.fp32(at.tokens(), at.query_width() / model.head_dim);
  if (!model.moe)
    return kept + at.wide(at.tokens(), model.up_width(at.mlp_width()) + at.mlp_width());
  const MoeSpec& moe = *model.moe;
  kept += at.fp32(at.local(), moe.num_experts); // the router's probabilities
  kept += 2 * at.hidden(at.routed());           // the experts' inputs and outputs
  kept += at.wide(at.routed(), model.up_width(moe.intermediate_size) + moe.intermediate_size);
  return kept;
}

Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape) {
  return shape.activation(shape.local_tokens(), model.hidden_size);
}

} // namespace moesim::workloads
