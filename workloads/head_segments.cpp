#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

Bytes logits_as_computed(const RankShape& at) {
  return at.wide(at.tokens(), at.vocabulary());
}

Bytes logits_in_fp32(const RankShape& at) {
  return at.fp32(at.tokens(), at.vocabulary());
}

// Logits, in the precision of the product and, where the loss wants them so, in FP32.
Bytes logits(const RankShape& at) {
  const bool has_copy = at.precision() != Precision::Fp32 && at.shape.fp32_logits;
  return logits_as_computed(at) + (has_copy ? logits_in_fp32(at) : Bytes());
}

// The cross-entropy once more for each metric, by PyTorch's: the logits are cast to FP32, and the logarithms of their
// softmax written. What these take is there when the backward has freed everything else.
void measure_loss(SegmentList& list, const RankShape& at) {
  for (std::int64_t metric = 0; metric < at.shape.train_metrics; ++metric) {
    list.kernel("metrics", memory_bound(logits_as_computed(at) + logits_in_fp32(at), Pass::Forward));
    list.kernel("metrics", memory_bound(2 * logits_in_fp32(at), Pass::Forward));
  }
}

// Vocabulary-parallel cross-entropy (Megatron-LM, cross_entropy.py): the largest logit, the target's logit and the sum
// of exponentials of every token are combined over tp, in FP32. Fused without a copy in FP32 (FlashAttention,
// losses/cross_entropy.py) the logits are read once.
void loss_forward(SegmentList& list, const RankShape& at) {
  const bool has_steps = !at.shape.cross_entropy_loss_fusion;
  const Bytes operand = at.shape.fp32_logits ? logits_in_fp32(at) : logits_as_computed(at);
  const auto kernel = [&](Bytes bytes) { list.kernel("loss", memory_bound(bytes, Pass::Forward)); };
  kernel(at.shape.fp32_logits ? logits_as_computed(at) + 2 * operand : operand);
  list.keep(logits(at));
  const Bytes statistic = at.fp32(at.tokens(), 1);
  list.collective("largest-logit", Kind::AllReduce, Dimension::Tp, statistic, statistic);
  if (at.shape.fp32_logits || has_steps)
    kernel(2 * operand); // subtracts the largest,
  if (has_steps) {
    kernel(2 * operand); // takes exponentials,
    kernel(operand);     // adds them up
    kernel(2 * operand); // and divides by the sum
  }
  list.collective("target-logit", Kind::AllReduce, Dimension::Tp, statistic, statistic);
  list.collective("sum-of-exponentials", Kind::AllReduce, Dimension::Tp, statistic, statistic);
}

GemmShape product(const RankShape& at) {
  return {at.tokens(), at.vocabulary(), at.model.hidden_size};
}

} // namespace

Operator embedding_gradient(const RankShape& at) {
  return memory_bound(at.hidden(at.tokens()) + 2 * at.fp32(at.tokens(), at.model.hidden_size), Pass::Backward);
}

Segments embedding_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  list.kernel("embedding", memory_bound(2 * at.hidden(at.tokens()), Pass::Forward));
  list.workspace(at.hidden(at.tokens()));
  leave_region(list, at, "sum-embedding");
  if (shape.hidden_dropout)
    drop_hidden(list, at, at.local(), Pass::Forward);
  return list.finish();
}

Segments embedding_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  if (shape.hidden_dropout)
    drop_hidden(list, at, at.local(), Pass::Backward);
  enter_region(list, at, "gather-gradient");
  list.kernel("embedding", embedding_gradient(at));
  return list.finish();
}

Segments head_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  list.keep(2 * at.hidden(at.local())); // input and output of the norm
  enter_region(list, at, "gather-sequence");
  if (shape.fp8_output_proj)
    linear_forward(list, at, "head", product(at));
  else
    list.kernel("head", gemm_forward(product(at), at.precision()));
  loss_forward(list, at);
  measure_loss(list, at);
  return list.finish();
}

Segments next_token(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  const std::int64_t rows = shape.sequences;
  SegmentList list(shape);
  list.unnamed(memory_bound(at.hidden(rows) * norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-sequence", at.hidden(rows));
  list.kernel("head", gemm_forward({rows, at.vocabulary(), model.hidden_size}, at.precision()));
  list.workspace(at.wide(rows, at.vocabulary()));
  const Bytes all = at.wide(rows, at.vocabulary() * at.tp());
  const Bytes in_fp32 = at.fp32(rows, at.vocabulary() * at.tp());
  list.collective("gather-logits", Kind::AllGather, Dimension::Tp, all, all);
  // Writes the logits in FP32, reads them for the sum of exponentials, and once more to draw.
  list.kernel("sample", memory_bound(all + 3 * in_fp32, Pass::Forward));
  list.workspace(in_fp32);
  return list.finish();
}

Segments head_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  // The gradient of the logits takes the place of the FP32 logits; the products want it in their precision.
  if (!shape.cross_entropy_loss_fusion) // scales it first
    list.kernel("loss", memory_bound(2 * logits_in_fp32(at), Pass::Backward));
  list.kernel("loss", memory_bound((shape.fp32_logits ? 1.0 : 2.0) * logits(at), Pass::Backward));
  list.workspace(logits_as_computed(at));
  enter_region(list, at, "gather-sequence");
  if (shape.fp8_output_proj)
    linear_backward(list, at, "head", product(at));
  else
    list.kernels("head", gemm_backward(product(at), at.precision(), at.shape.gradient_precision));
  list.workspace(at.hidden(at.tokens()));
  list.release(logits(at));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  list.release(2 * at.hidden(at.local()));
  return list.finish();
}

} // namespace moesim::workloads
