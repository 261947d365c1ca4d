#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

} // namespace

Segments embedding_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  list.kernel("embedding", memory_bound(2 * at.hidden(at.tokens()), Pass::Forward));
  leave_region(list, at, "sum-embedding");
  return list.finish(Bytes(0), Bytes(0));
}

Segments embedding_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  enter_region(list, at, "gather-gradient");
  // Adds each token's gradient to its row, in FP32: reads the gradient, reads and writes the row.
  list.kernel("embedding",
              memory_bound(at.hidden(at.tokens()) + 2 * at.fp32(at.tokens(), model.hidden_size), Pass::Backward));
  return list.finish(Bytes(0), Bytes(0));
}

Segments head_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
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
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  list.kernel("loss", memory_bound(at.fp32(at.tokens(), at.vocabulary()) + at.wide(at.tokens(), at.vocabulary()),
                                   Pass::Backward));
  enter_region(list, at, "gather-sequence");
  list.kernels("head", gemm_backward({at.tokens(), at.vocabulary(), model.hidden_size}, shape.precision));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  return list.finish(Bytes(0), head_activations(model, shape));
}

Bytes head_activations(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  return 2 * at.hidden(at.local()) + at.wide(at.tokens(), at.vocabulary()) + at.fp32(at.tokens(), at.vocabulary());
}

} // namespace moesim::workloads
