// Multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2; Megatron Core, multi_token_prediction.py): behind
// the last layer, the hidden state and the embedding of the next token are joined, run through one more layer, and the
// head predicts the token after that.
#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Both halves of the joined input, normalised, to a hidden state; column-parallel over tp.
GemmShape joining_projection(const RankShape& at) {
  const std::int64_t columns = (at.model.hidden_size + at.tp() - 1) / at.tp();
  return {at.tokens(), columns, 2 * at.model.hidden_size};
}

Bytes joined(const RankShape& at, std::int64_t rows) {
  return at.wide(rows, 2 * at.model.hidden_size);
}

// Inputs and outputs of the two norms.
Bytes kept_by_joining(const RankShape& at) {
  return joined(at, at.local()) + at.shape.product_input(at.local(), 2 * at.model.hidden_size);
}

} // namespace

Segments mtp_input_forward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  list.kernel("embedding", memory_bound(2 * at.hidden(at.tokens()), Pass::Forward));
  leave_region(list, at, "sum-embedding");
  list.kernel("join-tokens", at.passes(2 * norm_forward_passes, Pass::Forward));
  list.keep(kept_by_joining(at));
  enter_region(list, at, "gather-sequence", joined(at, at.tokens()));
  linear_forward(list, at, "join-tokens", joining_projection(at));
  list.collective("gather-columns", Kind::AllGather, Dimension::Tp, at.hidden(at.tokens()), at.hidden(at.tokens()));
  return list.finish();
}

Segments mtp_input_backward(const ModelSpec& model, const MicroBatchShape& shape) {
  const RankShape at{model, shape, {}};
  SegmentList list(shape);
  enter_region(list, at, "gather-gradient");
  linear_backward(list, at, "join-tokens", joining_projection(at));
  list.workspace(joined(at, at.tokens()));
  leave_region(list, at, "sum-gradient", joined(at, at.tokens()));
  list.kernel("join-tokens", at.passes(2 * norm_backward_passes, Pass::Backward));
  list.release(kept_by_joining(at));
  enter_region(list, at, "gather-gradient");
  list.kernel("embedding", embedding_gradient(at));
  return list.finish();
}

} // namespace moesim::workloads
