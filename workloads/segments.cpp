#include "workloads/segments.hpp"

#include <algorithm>

#include "workloads/operators.hpp"
#include "workloads/segment_list.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Kernels that read and write whole activations, counted in passes over [local tokens, hidden].
constexpr double norm_forward_passes = 2;  // read x, write y
constexpr double norm_backward_passes = 3; // read x and dy, write dx
constexpr double residual_passes = 3;      // read both, write the sum
constexpr double fp32_bytes = 4;

// The model and the micro-batch together: sizes of one rank.
struct Sizes {
  const ModelSpec& model;
  const MicroBatchShape& shape;

  [[nodiscard]] std::int64_t tp() const { return shape.sizes.tp; }
  [[nodiscard]] std::int64_t tokens() const { return shape.tokens(); }
  [[nodiscard]] std::int64_t local() const { return shape.local_tokens(); }
  [[nodiscard]] std::int64_t query_width() const { return model.query_width() / tp(); }
  // With fewer key-value heads than ranks, each rank keeps a copy of one (Megatron Core, attention.py).
  [[nodiscard]] std::int64_t kv_heads() const { return std::max<std::int64_t>(1, model.num_kv_heads / tp()); }
  [[nodiscard]] std::int64_t qkv_width() const { return query_width() + 2 * kv_heads() * model.head_dim; }
  [[nodiscard]] std::int64_t mlp_width() const { return model.intermediate_size / tp(); }
  [[nodiscard]] std::int64_t vocabulary() const { return (model.vocab_size + tp() - 1) / tp(); }
  // Experts of this rank, the token copies routed away from it, and, load being even, routed to it.
  [[nodiscard]] std::int64_t experts() const { return model.moe->num_experts / shape.sizes.ep; }
  [[nodiscard]] std::int64_t routed() const { return local() * model.moe->experts_per_token; }

  [[nodiscard]] Bytes hidden(std::int64_t rows) const { return shape.activation(rows, model.hidden_size); }
  [[nodiscard]] Bytes wide(std::int64_t rows, std::int64_t width) const { return shape.activation(rows, width); }
  [[nodiscard]] Bytes fp32(std::int64_t rows, std::int64_t width) const {
    return Bytes(static_cast<double>(rows) * static_cast<double>(width) * fp32_bytes);
  }
  [[nodiscard]] Operator passes(double count, Pass pass) const { return memory_bound(hidden(local()) * count, pass); }
};

AttentionShape attention_shape(const Sizes& at) {
  return {.sequences = at.shape.sequences,
          .heads = at.query_width() / at.model.head_dim,
          .kv_heads = at.kv_heads(),
          .length = at.shape.seq_length,
          .head_dim = at.model.head_dim};
}

// A tensor-parallel region begins by gathering the sequence and ends by scattering the sum; without sequence
// parallelism nothing needs gathering and the sum goes to all (Korthikanti et al., figures 4 and 5).
void enter_region(SegmentList& list, const Sizes& at, std::string_view name) {
  if (at.shape.sequence_parallel)
    list.collective(name, Kind::AllGather, Dimension::Tp, at.hidden(at.tokens()));
}

void leave_region(SegmentList& list, const Sizes& at, std::string_view name) {
  list.collective(name, at.shape.sequence_parallel ? Kind::ReduceScatter : Kind::AllReduce, Dimension::Tp,
                  at.hidden(at.tokens()));
}

void attention_forward(SegmentList& list, const Sizes& at) {
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

void attention_backward(SegmentList& list, const Sizes& at) {
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

void dense_forward(SegmentList& list, const Sizes& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.mlp_width());
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-sequence");
  list.kernel("mlp", gemm_forward({at.tokens(), up, at.model.hidden_size}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), up + at.mlp_width()), Pass::Forward));
  list.unnamed(gemm_forward({at.tokens(), at.model.hidden_size, at.mlp_width()}, precision));
  leave_region(list, at, "sum-mlp");
  list.unnamed(at.passes(residual_passes, Pass::Forward));
}

void dense_backward(SegmentList& list, const Sizes& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.mlp_width());
  enter_region(list, at, "gather-gradient");
  list.kernels("mlp", gemm_backward({at.tokens(), at.model.hidden_size, at.mlp_width()}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), 2 * up + at.mlp_width()), Pass::Backward));
  enter_region(list, at, "gather-sequence");
  list.kernels("mlp", gemm_backward({at.tokens(), up, at.model.hidden_size}, precision));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

// Reading tokens in one order and writing them in another.
Bytes reorder(const Sizes& at, std::int64_t read, std::int64_t written) {
  return at.hidden(read) + at.hidden(written);
}

void moe_forward(SegmentList& list, const Sizes& at) {
  const Precision precision = at.shape.precision;
  const MoeSpec& moe = *at.model.moe;
  const std::int64_t up = at.model.up_width(moe.intermediate_size);
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  list.kernel("router", gemm_forward({at.local(), moe.num_experts, at.model.hidden_size}, precision));
  list.unnamed(memory_bound(2 * at.fp32(at.local(), moe.num_experts), Pass::Forward)); // softmax and top-k
  list.unnamed(memory_bound(reorder(at, at.local(), at.routed()), Pass::Forward));     // permute by expert
  list.collective("dispatch", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()));
  if (at.experts() > 1 && at.shape.sizes.ep > 1) // tokens arrive by sender and are sorted by expert
    list.kernel("experts", memory_bound(reorder(at, at.routed(), at.routed()), Pass::Forward));
  list.kernel("experts", gemm_forward({at.routed(), up, at.model.hidden_size, at.experts()}, precision));
  list.unnamed(memory_bound(at.wide(at.routed(), up + moe.intermediate_size), Pass::Forward));
  list.unnamed(gemm_forward({at.routed(), at.model.hidden_size, moe.intermediate_size, at.experts()}, precision));
  if (at.experts() > 1 && at.shape.sizes.ep > 1)
    list.unnamed(memory_bound(reorder(at, at.routed(), at.routed()), Pass::Forward));
  list.collective("combine", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()));
  list.kernel("unpermute", memory_bound(reorder(at, at.routed(), at.local()), Pass::Forward));
  list.unnamed(at.passes(residual_passes, Pass::Forward));
}

void moe_backward(SegmentList& list, const Sizes& at) {
  const Precision precision = at.shape.precision;
  const MoeSpec& moe = *at.model.moe;
  const std::int64_t up = at.model.up_width(moe.intermediate_size);
  // The gradient of the weighted sum needs the experts' outputs again, for the gradient of the weights.
  list.kernel("unpermute", memory_bound(reorder(at, at.local() + at.routed(), at.routed()), Pass::Backward));
  list.collective("combine", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()));
  if (at.experts() > 1 && at.shape.sizes.ep > 1)
    list.kernel("experts", memory_bound(reorder(at, at.routed(), at.routed()), Pass::Backward));
  list.kernels("experts",
               gemm_backward({at.routed(), at.model.hidden_size, moe.intermediate_size, at.experts()}, precision));
  list.unnamed(memory_bound(at.wide(at.routed(), 2 * up + moe.intermediate_size), Pass::Backward));
  list.kernels("experts", gemm_backward({at.routed(), up, at.model.hidden_size, at.experts()}, precision));
  if (at.experts() > 1 && at.shape.sizes.ep > 1)
    list.unnamed(memory_bound(reorder(at, at.routed(), at.routed()), Pass::Backward));
  list.collective("dispatch", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()));
  list.kernel("router", memory_bound(reorder(at, at.routed(), at.local()), Pass::Backward));
  list.unnamed(memory_bound(2 * at.fp32(at.local(), moe.num_experts), Pass::Backward));
  list.kernels("router", gemm_backward({at.local(), moe.num_experts, at.model.hidden_size}, precision));
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

} // namespace

Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  attention_forward(list, at);
  if (model.moe)
    moe_forward(list, at);
  else
    dense_forward(list, at);
  return list.finish(layer_activations(model, shape), Bytes(0));
}

Segments layer_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  if (model.moe)
    moe_backward(list, at);
  else
    dense_backward(list, at);
  attention_backward(list, at);
  return list.finish(Bytes(0), layer_activations(model, shape));
}

Segments embedding_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  list.kernel("embedding", memory_bound(2 * at.hidden(at.tokens()), Pass::Forward));
  leave_region(list, at, "sum-embedding");
  return list.finish(Bytes(0), Bytes(0));
}

Segments embedding_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  enter_region(list, at, "gather-gradient");
  // Adds each token's gradient to its row, in FP32: reads the gradient, reads and writes the row.
  list.kernel("embedding",
              memory_bound(at.hidden(at.tokens()) + 2 * at.fp32(at.tokens(), model.hidden_size), Pass::Backward));
  return list.finish(Bytes(0), Bytes(0));
}

Segments head_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-sequence");
  list.kernel("head", gemm_forward({at.tokens(), at.vocabulary(), model.hidden_size}, shape.precision));
  // Vocabulary-parallel cross-entropy (Megatron-LM, cross_entropy.py): the largest logit, the target's logit and the
  // sum of exponentials of every token are combined over tp, in FP32.
  list.kernel("loss", memory_bound(at.wide(at.tokens(), at.vocabulary()) + 2 * at.fp32(at.tokens(), at.vocabulary()),
                                   Pass::Forward));
  list.collective("largest-logit", Kind::AllReduce, Dimension::Tp, at.fp32(at.tokens(), 1));
  list.kernel("loss", memory_bound(2 * at.fp32(at.tokens(), at.vocabulary()), Pass::Forward));
  list.collective("target-logit", Kind::AllReduce, Dimension::Tp, at.fp32(at.tokens(), 1));
  list.collective("sum-of-exponentials", Kind::AllReduce, Dimension::Tp, at.fp32(at.tokens(), 1));
  return list.finish(head_activations(model, shape), Bytes(0));
}

Segments head_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  SegmentList list(shape);
  list.kernel("loss", memory_bound(at.fp32(at.tokens(), at.vocabulary()) + at.wide(at.tokens(), at.vocabulary()),
                                   Pass::Backward));
  enter_region(list, at, "gather-sequence");
  list.kernels("head", gemm_backward({at.tokens(), at.vocabulary(), model.hidden_size}, shape.precision));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  return list.finish(Bytes(0), head_activations(model, shape));
}

Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
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

Bytes head_activations(const ModelSpec& model, const MicroBatchShape& shape) {
  const Sizes at{model, shape};
  return 2 * at.hidden(at.local()) + at.wide(at.tokens(), at.vocabulary()) + at.fp32(at.tokens(), at.vocabulary());
}

Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape) {
  return shape.activation(shape.local_tokens(), model.hidden_size);
}

} // namespace moesim::workloads
