// Attention of inference: what a forward pass adds to the cache, and the queries of a decode step, which read it.
#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

// Of the cache, on this rank, in one layer.
Bytes cached(const RankShape& at, std::int64_t tokens) {
  return MicroBatchShape::elements(at.shape.sequences * tokens, kv_elements(at.model, at.tp()),
                                   at.shape.cache->precision);
}

std::int64_t kept(const RankShape& at, std::int64_t length) {
  return kept_tokens(at.model, at.kind, at.shape.cache->block_size, length);
}

// Products of each head's rows with a matrix of its own.
GemmShape of_each_head(const RankShape& at, std::int64_t n, std::int64_t k) {
  return {.rows = at.tokens() * at.heads(), .n = n, .k = k, .groups = at.heads()};
}

// One query per sequence. Whole blocks are read and multiplied: the steps within a block cost the same.
AttentionShape queries(const RankShape& at) {
  const std::int64_t context = kept(at, at.shape.cache->held + at.shape.seq_length);
  const bool absorbs = at.absorbs();
  return {.sequences = at.shape.sequences,
          .heads = at.heads(),
          .kv_heads = at.kv_heads(),
          .length = at.shape.seq_length,
          .kv_length = context,
          .keys = context,
          .pairs = static_cast<double>(context * at.shape.seq_length),
          .qk_head_dim = absorbs ? kv_elements(at.model, at.tp()) : at.model.qk_head_dim(),
          .v_head_dim = absorbs ? at.model.mla->kv_lora_rank : at.model.v_head_dim()};
}

} // namespace

void write_cache(SegmentList& list, const RankShape& at) {
  const std::int64_t held = at.shape.cache->held;
  list.unnamed(memory_bound(at.wide(at.tokens(), kv_elements(at.model, at.tp())) + cached(at, at.shape.seq_length),
                            Pass::Forward));
  list.cache(cached(at, kept(at, held + at.shape.seq_length) - kept(at, held)));
}

void cached_attention_forward(SegmentList& list, const RankShape& at) {
  const AttentionShape shape = queries(at);
  if (at.absorbs())
    linear_forward(list, at, "attention", of_each_head(at, at.model.mla->kv_lora_rank, at.model.mla->qk_nope_head_dim));
  list.kernel("attention", cached_attention(shape, cached(at, shape.kv_length), at.precision()));
  if (at.absorbs())
    linear_forward(list, at, "", of_each_head(at, at.model.v_head_dim(), at.model.mla->kv_lora_rank));
  list.keep(at.wide(at.tokens(), at.output_width()));
}

} // namespace moesim::workloads
