#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

// Pairs of a query and a key that it sees, in one sequence.
double attended_pairs(const RankShape& at) {
  const std::int64_t length = at.shape.seq_length;
  const auto keys = static_cast<double>(at.model.keys_seen(at.kind, length));
  if (at.kind.reach != Reach::Chunked)
    return keys * (static_cast<double>(length) - keys / 2);
  const auto rest = static_cast<double>(length % at.model.keys_seen(at.kind, length));
  return (keys * (static_cast<double>(length) - rest) + rest * rest) / 2;
}

AttentionShape attention_shape(const RankShape& at) {
  return {.sequences = at.shape.sequences,
          .heads = at.heads(),
          .kv_heads = at.kv_heads(),
          .length = at.shape.seq_length,
          .keys = at.model.keys_seen(at.kind, at.shape.seq_length),
          .pairs = attended_pairs(at),
          .qk_head_dim = at.model.qk_head_dim(),
          .v_head_dim = at.model.v_head_dim()};
}

GemmShape qkv_projection(const RankShape& at) {
  return {at.tokens(), at.qkv_width(), at.model.hidden_size};
}

// Latent attention (Megatron Core, multi_latent_attention.py): the down-projections are the same on every tp rank, each
// for its part of the sequence; their small results are gathered (here in one collective, with the hidden states when
// queries have no latent) and the up-projections are column-parallel.
GemmShape down_projection(const RankShape& at) {
  return {at.local(), at.model.mla->latent_width(), at.model.hidden_size};
}

GemmShape query_up_projection(const RankShape& at) {
  const std::int64_t rank = at.model.mla->q_lora_rank;
  return {at.tokens(), at.query_width(), rank > 0 ? rank : at.model.hidden_size};
}

GemmShape kv_up_projection(const RankShape& at) {
  const MlaSpec& mla = *at.model.mla;
  return {at.tokens(), at.heads() * (mla.qk_nope_head_dim + mla.v_head_dim), mla.kv_lora_rank};
}

GemmShape output_projection(const RankShape& at) {
  return {at.tokens(), at.model.hidden_size, at.output_width()};
}

Bytes gathered_latents(const RankShape& at) {
  const MlaSpec& mla = *at.model.mla;
  return at.wide(at.tokens(), mla.latent_width() + (mla.q_lora_rank > 0 ? 0 : at.model.hidden_size));
}

Operator latent_norms(const RankShape& at, double passes, Pass pass) {
  return memory_bound(at.wide(at.local(), at.model.mla->q_lora_rank + at.model.mla->kv_lora_rank) * passes, pass);
}

void project_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  if (!at.model.mla) {
    enter_region(list, at, "gather-sequence");
    return list.kernel("attention", gemm_forward(qkv_projection(at), precision));
  }
  list.kernel("attention", gemm_forward(down_projection(at), precision));
  list.unnamed(latent_norms(at, norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-latents", gathered_latents(at));
  list.kernel("attention", gemm_forward(query_up_projection(at), precision));
  list.unnamed(gemm_forward(kv_up_projection(at), precision));
}

// Only the shard of the input was kept: the weights' gradients need all of it again.
void project_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  if (!at.model.mla) {
    enter_region(list, at, "gather-sequence");
    list.kernels("attention", gemm_backward(qkv_projection(at), precision));
    return leave_region(list, at, "sum-gradient");
  }
  enter_region(list, at, "gather-latents", gathered_latents(at));
  list.kernels("attention", gemm_backward(query_up_projection(at), precision));
  list.kernels("attention", gemm_backward(kv_up_projection(at), precision));
  leave_region(list, at, "sum-gradient", gathered_latents(at));
  list.unnamed(latent_norms(at, norm_backward_passes, Pass::Backward));
  list.kernels("attention", gemm_backward(down_projection(at), precision));
}

} // namespace

void attention_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  project_forward(list, at);
  if (at.model.qk_norm != QkNorm::None)
    list.unnamed(memory_bound(at.wide(at.tokens(), at.qk_width()) * norm_forward_passes, Pass::Forward));
  if (at.model.learned_positions == 0) // rotary embedding reads and writes queries and keys
    list.unnamed(memory_bound(2 * at.wide(at.tokens(), at.qk_width()), Pass::Forward));
  list.unnamed(causal_attention(attention_shape(at), Pass::Forward, precision));
  list.unnamed(gemm_forward(output_projection(at), precision));
  leave_region(list, at, "sum-attention");
  add_residual(list, at);
}

void attention_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  if (at.model.post_norms)
    list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  enter_region(list, at, "gather-gradient");
  list.kernels("attention", gemm_backward(output_projection(at), precision));
  list.unnamed(causal_attention(attention_shape(at), Pass::Backward, precision));
  if (at.model.learned_positions == 0)
    list.unnamed(memory_bound(2 * at.wide(at.tokens(), at.qk_width()), Pass::Backward));
  if (at.model.qk_norm != QkNorm::None)
    list.unnamed(memory_bound(at.wide(at.tokens(), at.qk_width()) * norm_backward_passes, Pass::Backward));
  project_backward(list, at);
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

Bytes attention_activations(const RankShape& at) {
  // Queries, keys, values and the attention's output; FlashAttention keeps one FP32 statistic per query and head
  // instead of the scores.
  Bytes kept = at.wide(at.tokens(), at.qkv_width() + at.output_width()) + at.fp32(at.tokens(), at.heads());
  if (at.model.qk_norm != QkNorm::None) // its inputs
    kept += at.wide(at.tokens(), at.qk_width());
  if (at.model.mla) // the latents, and what their norms make of them
    kept += at.wide(at.local(), at.model.mla->latent_width() + at.model.mla->q_lora_rank + at.model.mla->kv_lora_rank);
  return kept;
}

} // namespace moesim::workloads
