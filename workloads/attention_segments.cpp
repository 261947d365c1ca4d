#include <array>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

std::int64_t key_width(const RankShape& at) {
  return at.kv_heads() * at.model.qk_head_dim();
}

Projections qkv_projections(const RankShape& at) {
  return {at.tokens(), {at.query_width(), key_width(at), at.kv_heads() * at.model.v_head_dim()}, at.model.hidden_size};
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

// The latents, and what their norms make of them.
Bytes latents(const RankShape& at) {
  const MlaSpec& mla = *at.model.mla;
  return at.wide(at.local(), mla.latent_width()) +
         at.shape.product_input(at.local(), mla.q_lora_rank + mla.kv_lora_rank);
}

// As attention keeps them.
Bytes queries_keys_values(const RankShape& at) {
  const std::int64_t head = at.model.qk_head_dim() + at.model.v_head_dim();
  return at.wide(at.tokens(), at.query_width() + at.attended_kv_heads() * head);
}

void up_project_forward(SegmentList& list, const RankShape& at) {
  linear_forward(list, at, "attention", query_up_projection(at));
  linear_forward(list, at, "", kv_up_projection(at));
}

bool recomputes_up_projection(const RankShape& at) {
  return at.model.mla && at.recomputes(RecomputeModule::MlaUpProj);
}

// Keys, and the rotation of queries and keys.
bool recomputes_keys(const RankShape& at) {
  return !at.model.mla && at.recomputes(RecomputeModule::Op);
}

// Rotary embedding reads and writes queries and keys. With a factor (YaRN's) Transformer Engine cannot: half of them is
// negated and joined to the other half, both are multiplied, added and copied; backward likewise (Megatron Core,
// rope_utils.py, _apply_rotary_pos_emb_bshd). Engines of inference have a kernel for it.
void rotate_positions(SegmentList& list, const RankShape& at, Pass pass) {
  if (at.model.learned_positions > 0)
    return;
  const Bytes once = at.wide(at.tokens(), at.qk_width());
  if (!at.model.scales_rotary || at.shape.cache)
    return list.unnamed(memory_bound(2 * once, pass));
  constexpr std::array<double, 6> forward{1, 2, 2, 2, 3, 2};
  constexpr std::array<double, 6> backward{2, 2, 1, 2, 3, 3};
  for (const double passes : pass == Pass::Forward ? forward : backward)
    list.unnamed(memory_bound(passes * once, pass));
}

// Then keys and values are copied, if they are, or the gradients of the copies added.
void rotate(SegmentList& list, const RankShape& at, Pass pass) {
  rotate_positions(list, at, pass);
  const std::int64_t copied =
      (at.kv_heads() + at.attended_kv_heads()) * (at.model.qk_head_dim() + at.model.v_head_dim());
  if (at.attended_kv_heads() > at.kv_heads())
    list.unnamed(memory_bound(at.wide(at.tokens(), copied), pass));
}

// Ends with queries, keys and values, ready for attention.
void project_forward(SegmentList& list, const RankShape& at) {
  if (at.model.mla) {
    linear_forward(list, at, "attention", down_projection(at));
    list.unnamed(latent_norms(at, norm_forward_passes, Pass::Forward));
    list.keep(latents(at));
    enter_region(list, at, "gather-latents", gathered_latents(at));
    linear_forward(list, at, "attention", query_up_projection(at));
    if (!at.absorbs())
      linear_forward(list, at, "", kv_up_projection(at));
  } else {
    enter_product(list, at, "gather-sequence");
    projections_forward(list, at, "attention", qkv_projections(at));
  }
  if (at.model.qk_norm != QkNorm::None) {
    list.unnamed(memory_bound(at.wide(at.tokens(), at.qk_width()) * norm_forward_passes, Pass::Forward));
    list.keep(at.wide(at.tokens(), at.qk_width()));
  }
  rotate(list, at, Pass::Forward);
  if (recomputes_up_projection(at))
    list.workspace(queries_keys_values(at));
  else if (recomputes_keys(at))
    list.keep(at.wide(at.tokens(), at.qkv_width() - key_width(at)));
  else
    list.keep(queries_keys_values(at));
}

// What RecomputeModule::Op does not keep. The output is needed for the residual addition before the MLP's norm, unless
// its sum over tp was kept.
void keys_again(SegmentList& list, const RankShape& at) {
  norm_again(list, at);
  enter_product(list, at, "gather-sequence");
  linear_forward(list, at, "attention", {at.tokens(), key_width(at), at.model.hidden_size});
  rotate(list, at, Pass::Forward);
  list.keep(queries_keys_values(at) - at.wide(at.tokens(), at.qkv_width() - key_width(at)));
  if (at.tp() == 1)
    linear_forward(list, at, "attention", output_projection(at));
  list.unnamed(at.passes(residual_passes, Pass::Forward));
}

// Only the shard of the input was kept: the weights' gradients need all of it again.
void project_backward(SegmentList& list, const RankShape& at) {
  rotate(list, at, Pass::Backward);
  if (at.model.qk_norm != QkNorm::None) {
    list.unnamed(memory_bound(at.wide(at.tokens(), at.qk_width()) * norm_backward_passes, Pass::Backward));
    list.release(at.wide(at.tokens(), at.qk_width()));
  }
  if (!recomputes_keys(at))
    norm_again(list, at);
  if (!at.model.mla) {
    // Gradients of queries, keys and values, which fused attention gives apart, are written into one matrix (autograd
    // of chunk()); unfused attention counts that.
    if (at.is_eager() && at.shape.fused_projections && at.shape.attention_backend != AttentionBackend::Unfused)
      list.unnamed(memory_bound(2 * at.wide(at.tokens(), at.qkv_width()), Pass::Backward));
    if (!recomputes_keys(at))
      enter_product(list, at, "gather-sequence");
    projections_backward(list, at, "attention", qkv_projections(at), Bias{at.model.attention_bias});
    list.release(queries_keys_values(at));
    return leave_region(list, at, "sum-gradient");
  }
  enter_region(list, at, "gather-latents", gathered_latents(at));
  linear_backward(list, at, "attention", query_up_projection(at));
  linear_backward(list, at, "attention", kv_up_projection(at));
  list.release(queries_keys_values(at));
  leave_region(list, at, "sum-gradient", gathered_latents(at));
  list.unnamed(latent_norms(at, norm_backward_passes, Pass::Backward));
  linear_backward(list, at, "attention", down_projection(at));
  list.release(latents(at));
}

} // namespace

void attention_forward(SegmentList& list, const RankShape& at) {
  norm_forward(list, at);
  project_forward(list, at);
  if (at.shape.cache)
    write_cache(list, at);
  if (at.decodes())
    cached_attention_forward(list, at);
  else
    core_attention_forward(list, at);
  linear_forward(list, at, "", output_projection(at));
  leave_region(list, at, "sum-attention");
  add_residual(list, at);
}

void attention_backward(SegmentList& list, const RankShape& at) {
  add_residual_backward(list, at);
  enter_product(list, at, "gather-gradient");
  linear_backward(list, at, "attention", output_projection(at), Bias{at.model.output_bias});
  if (recomputes_up_projection(at)) {
    enter_region(list, at, "gather-latents", gathered_latents(at));
    up_project_forward(list, at);
    rotate(list, at, Pass::Forward);
    list.keep(queries_keys_values(at));
  }
  if (recomputes_keys(at))
    keys_again(list, at);
  core_attention_backward(list, at);
  project_backward(list, at);
  norm_backward(list, at);
}

} // namespace moesim::workloads
