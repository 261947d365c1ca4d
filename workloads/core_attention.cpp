#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Pairs of a query and a key that it sees, in one sequence.
double attended_pairs(const RankShape& at) {
  const std::int64_t length = at.shape.seq_length;
  const auto keys = static_cast<double>(at.model.keys_seen(at.kind, length));
  if (at.kind.reach != Reach::Chunked)
    return keys * (static_cast<double>(length) - keys / 2);
  const auto rest = static_cast<double>(length % at.model.keys_seen(at.kind, length));
  return (keys * (static_cast<double>(length) - rest) + rest * rest) / 2;
}

// What this rank attends to in one kernel. Context-parallel ranks have `parts` of the sequence each, dealt out so that
// all meet equally many keys (zigzag; Llama 3, section 3.3.2), and meet `key_parts` of the keys at a time.
AttentionShape attention_shape(const RankShape& at, std::int64_t parts, std::int64_t key_parts) {
  const std::int64_t length = at.shape.seq_length;
  return {.sequences = at.shape.sequences,
          .heads = at.heads(),
          .kv_heads = at.attended_kv_heads(),
          .length = length / parts,
          .kv_length = length / key_parts,
          .keys = std::min(at.model.keys_seen(at.kind, length), length / key_parts),
          .pairs = attended_pairs(at) / static_cast<double>(parts * key_parts),
          .qk_head_dim = at.model.qk_head_dim(),
          .v_head_dim = at.model.v_head_dim(),
          .dropout = at.shape.attention_dropout};
}

// cuDNN's backward in 8 bits leaves out no tile outside of a window: of 2 to 32 Ki tokens in windows of 128 it takes as
// long as without (cudnn-frontend, benchmark/sdpa_benchmark_training, gpt_oss, April 2026: four times as long for twice
// as many tokens, where that of BF16 takes twice as long).
AttentionShape without_window(const RankShape& at, AttentionShape shape) {
  const auto length = static_cast<double>(at.shape.seq_length);
  shape.pairs *= length * length / 2 / attended_pairs(at);
  shape.keys = shape.kv_length;
  return shape;
}

Operator kernel_in_8_bits(const RankShape& at, const AttentionShape& shape, Pass pass) {
  return causal_attention(pass == Pass::Forward ? shape : without_window(at, shape), pass, at.shape.precision);
}

// The Triton version of the first FlashAttention, in the backward: a kernel reads the output and its gradient for their
// products, another clears the FP32 sum of the queries' gradients, and a third casts it (Dao-AILab/flash-attention,
// flash_attn_triton.py).
std::vector<Operator> flash_1(const RankShape& at, const AttentionShape& shape, Pass pass) {
  const Operator kernel = causal_attention(shape, pass, at.precision(), AttentionKernel::Flash1);
  if (pass == Pass::Forward)
    return {kernel};
  const std::int64_t rows = shape.sequences * shape.length;
  const Bytes output = at.wide(rows, shape.heads * shape.v_head_dim);
  const Bytes query = at.wide(rows, shape.heads * shape.qk_head_dim);
  const Bytes sum = at.fp32(rows, shape.heads * shape.qk_head_dim);
  return {memory_bound(2 * output, pass), memory_bound(sum, pass), kernel, memory_bound(sum + query, pass)};
}

std::vector<Operator> kernels_of(const RankShape& at, const AttentionShape& shape, Pass pass) {
  if (at.shape.fp8_dot_product_attention)
    return {kernel_in_8_bits(at, shape, pass)};
  switch (at.shape.attention_backend) {
  case AttentionBackend::Unfused:
    return unfused_attention(shape, pass, at.precision());
  case AttentionBackend::Flash2:
    return {causal_attention(shape, pass, at.precision(), AttentionKernel::Flash2)};
  case AttentionBackend::Flash1:
    return flash_1(at, shape, pass);
  case AttentionBackend::Flash:
    break;
  }
  return {causal_attention(shape, pass, at.precision())};
}

void attend(SegmentList& list, const RankShape& at, const AttentionShape& shape, Pass pass) {
  std::vector<Operator> kernels = kernels_of(at, shape, pass);
  for (Operator& kernel : kernels) // engines of inference have kernels of their own for sinks, which are not slow
    kernel.has_sinks = kernel.kind == OperatorKind::Attention && at.model.attention_sinks && !at.shape.cache;
  list.kernels("attention", kernels);
}

Bytes keys_and_values(const RankShape& at) {
  return at.wide(at.tokens(), at.attended_kv_heads() * (at.model.qk_head_dim() + at.model.v_head_dim()));
}

Bytes queries_keys_values(const RankShape& at) {
  return at.wide(at.tokens(), at.query_width()) + keys_and_values(at);
}

// Each rank attends to the keys it has while it sends them on and receives the next ones.
void attend_around_ring(SegmentList& list, const RankShape& at, Pass pass, Bytes passed_on) {
  const std::int64_t ranks = at.shape.sizes.cp;
  for (std::int64_t step = 0; step < ranks; ++step) {
    if (step + 1 < ranks)
      list.collective_beside("pass-keys-values", Kind::RingExchange, Dimension::Cp, passed_on, passed_on);
    attend(list, at, attention_shape(at, ranks, ranks), pass);
    if (step + 1 < ranks)
      list.end_kernels(); // the next step waits for what this one received
  }
}

// Every rank has some of the heads for all tokens between the two exchanges.
void attend_with_heads_split(SegmentList& list, const RankShape& at, Pass pass, Bytes before, Bytes after) {
  const std::int64_t ranks = at.shape.sizes.cp;
  AttentionShape shape = attention_shape(at, 1, 1);
  shape.heads /= ranks;
  shape.kv_heads /= ranks;
  list.collective("heads-for-tokens", Kind::AllToAll, Dimension::Cp, before, before);
  attend(list, at, shape, pass);
  list.collective("tokens-for-heads", Kind::AllToAll, Dimension::Cp, after, after);
}

// FlashAttention keeps one FP32 statistic per query and head instead of the scores. With dropout, these are kept before
// and after, and a byte for each says which are dropped (Korthikanti et al., section 4.1).
Bytes statistics(const RankShape& at) {
  if (at.shape.attention_backend != AttentionBackend::Unfused)
    return at.fp32(at.tokens(), at.heads());
  const Bytes scores = at.wide(at.tokens() * at.heads(), at.shape.seq_length);
  return at.shape.attention_dropout ? 2 * scores + at.mask(at.tokens() * at.heads(), at.shape.seq_length) : scores;
}

// The output is kept by attention and, in FP8, once more by the projection.
Bytes outputs(const RankShape& at) {
  const bool twice = is_cast_for_products(at.shape.precision);
  return at.wide(at.tokens(), at.output_width()) +
         (twice ? at.shape.product_input(at.tokens(), at.output_width()) : Bytes());
}

// Queries, keys and values, or the gradient of the output: read in 16 bits, written in 8 for products by rows and by
// columns, for both passes (Transformer Engine, dot_product_attention/utils.py, mxfp8_quantize_fast_path).
void cast_to_8_bits(SegmentList& list, const RankShape& at, std::int64_t width, Pass pass) {
  if (at.shape.fp8_dot_product_attention)
    list.kernel("attention",
                memory_bound(at.wide(at.tokens(), width) + 2 * at.shape.product_input(at.tokens(), width), pass));
}

void attend_forward(SegmentList& list, const RankShape& at) {
  cast_to_8_bits(list, at, at.qkv_width(), Pass::Forward);
  const std::int64_t ranks = at.shape.sizes.cp;
  if (ranks == 1)
    return attend(list, at, attention_shape(at, 1, 1), Pass::Forward);
  switch (at.shape.cp_comm_type) {
  case CpCommType::P2p:
    return attend_around_ring(list, at, Pass::Forward, keys_and_values(at));
  case CpCommType::AllGather: {
    const Bytes all = keys_and_values(at) * static_cast<double>(ranks);
    list.collective("gather-keys-values", Kind::AllGather, Dimension::Cp, all, all);
    return attend(list, at, attention_shape(at, ranks, 1), Pass::Forward);
  }
  case CpCommType::A2a:
    attend_with_heads_split(list, at, Pass::Forward, queries_keys_values(at), at.wide(at.tokens(), at.output_width()));
  }
}

void attend_backward(SegmentList& list, const RankShape& at) {
  cast_to_8_bits(list, at, at.output_width(), Pass::Backward);
  const std::int64_t ranks = at.shape.sizes.cp;
  const Bytes local = keys_and_values(at);
  if (ranks == 1)
    return attend(list, at, attention_shape(at, 1, 1), Pass::Backward);
  switch (at.shape.cp_comm_type) {
  case CpCommType::P2p: // keys and values travel with their gradients, which have one hop more to get home
    attend_around_ring(list, at, Pass::Backward, 2 * local);
    return list.collective("return-gradients", Kind::RingExchange, Dimension::Cp, local, local);
  case CpCommType::AllGather: {
    const Bytes all = local * static_cast<double>(ranks);
    list.collective("gather-keys-values", Kind::AllGather, Dimension::Cp, all, all);
    attend(list, at, attention_shape(at, ranks, 1), Pass::Backward);
    list.workspace(all);
    return list.collective("sum-key-value-gradients", Kind::ReduceScatter, Dimension::Cp, all, local);
  }
  case CpCommType::A2a:
    attend_with_heads_split(list, at, Pass::Backward, at.wide(at.tokens(), at.output_width()), queries_keys_values(at));
  }
}

} // namespace

void core_attention_forward(SegmentList& list, const RankShape& at) {
  attend_forward(list, at);
  list.keep(outputs(at));
  if (at.recomputes(RecomputeModule::CoreAttn))
    list.workspace(statistics(at));
  else
    list.keep(statistics(at));
}

void core_attention_backward(SegmentList& list, const RankShape& at) {
  if (at.recomputes(RecomputeModule::CoreAttn)) {
    attend_forward(list, at);
    list.keep(statistics(at));
  }
  attend_backward(list, at);
  list.release(outputs(at) + statistics(at));
  list.workspace(queries_keys_values(at) + at.wide(at.tokens(), at.output_width())); // the gradients of all four
}

} // namespace moesim::workloads
