#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Logits, in the precision of the product and in FP32, where these differ.
Bytes logits(const RankShape& at) {
  const Bytes in_fp32 = at.fp32(at.tokens(), at.vocabulary());
  return at.precision() == Precision::Fp32 ? in_fp32 : at.wide(at.tokens(), at.vocabulary()) + in_fp32;
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
  // Vocabulary-parallel cross-entropy (Megatron-LM, cross_entropy.py): the largest logit, the target's logit and the
  // sum of exponentials of every token are combined over tp, in FP32.
  const Bytes in_precision = at.wide(at.tokens(), at.vocabulary());
  const Bytes in_fp32 = at.fp32(at.tokens(), at.vocabulary());
  const auto kernel = [&](Bytes bytes) { list.kernel("loss", memory_bound(bytes, Pass::Forward)); };
  kernel(in_precision + 2 * in_fp32);
  list.keep(logits(at));
  const Bytes statistic = at.fp32(at.tokens(), 1);
  list.collective("largest-logit", Kind::AllReduce, Dimension::Tp, statistic, statistic);
  kernel(2 * in_fp32); // subtracts the largest,
  if (!shape.cross_entropy_loss_fusion) {
    kernel(2 * in_fp32); // takes exponentials,
    kernel(in_fp32);     // adds them up
    kernel(2 * in_fp32); // and divides by the sum
  }
  list.collective("target-logit", Kind::AllReduce, Dimension::Tp, statistic, statistic);
  list.collective("sum-of-exponentials", Kind::AllReduce, Dimension::Tp, statistic, statistic);
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
    list.kernel("loss", memory_bound(2 * at.fp32(at.tokens(), at.vocabulary()), Pass::Backward));
  list.kernel("loss", memory_bound(logits(at), Pass::Backward));
  list.workspace(at.wide(at.tokens(), at.vocabulary()));
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
