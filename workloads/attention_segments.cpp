#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

AttentionShape attention_shape(const RankShape& at) {
  return {.sequences = at.shape.sequences,
          .heads = at.query_width() / at.model.head_dim,
          .kv_heads = at.kv_heads(),
          .length = at.shape.seq_length,
          .head_dim = at.model.head_dim};
}

} // namespace

void attention_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-sequence");
  list.kernel("attention", gemm_forward({at.tokens(), at.qkv_width(), at.model.hidden_size}, precision));
  if (at.model.learned_positions == 0) // rotary embedding reads and writes queries and keys
    list.unnamed(
        memory_bound(2 * at.wide(at.tokens(), at.qkv_width() - at.kv_heads() * at.model.head_dim), Pass::Forward));
  list.unnamed(causal_attention(attention_shape(at), Pass::Forward, precision));
  list.unnamed(gemm_forward({at.tokens(), at.model.hidden_size, at.query_width()}, precision));
  leave_region(list, at, "sum-attention");
  list.unnamed(at.passes(residual_passes, Pass::Forward));
}

void attention_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  enter_region(list, at, "gather-gradient");
  list.kernels("attention", gemm_backward({at.tokens(), at.model.hidden_size, at.query_width()}, precision));
  list.unnamed(causal_attention(attention_shape(at), Pass::Backward, precision));
  if (at.model.learned_positions == 0)
    list.unnamed(
        memory_bound(2 * at.wide(at.tokens(), at.qkv_width() - at.kv_heads() * at.model.head_dim), Pass::Backward));
  // Only the shard of the input was kept: the weight's gradient needs all of it again.
  enter_region(list, at, "gather-sequence");
  list.kernels("attention", gemm_backward({at.tokens(), at.qkv_width(), at.model.hidden_size}, precision));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

} // namespace moesim::workloads
