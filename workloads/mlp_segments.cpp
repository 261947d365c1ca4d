#include "workloads/rank_shape.hpp"

namespace moesim::workloads {

void dense_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.mlp_width());
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  enter_region(list, at, "gather-sequence");
  list.kernel("mlp", gemm_forward({at.tokens(), up, at.model.hidden_size}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), up + at.mlp_width()), Pass::Forward));
  list.unnamed(gemm_forward({at.tokens(), at.model.hidden_size, at.mlp_width()}, precision));
  leave_region(list, at, "sum-mlp");
  add_residual(list, at);
}

void dense_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.mlp_width());
  if (at.model.post_norms)
    list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
  enter_region(list, at, "gather-gradient");
  list.kernels("mlp", gemm_backward({at.tokens(), at.model.hidden_size, at.mlp_width()}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), 2 * up + at.mlp_width()), Pass::Backward));
  enter_region(list, at, "gather-sequence");
  list.kernels("mlp", gemm_backward({at.tokens(), up, at.model.hidden_size}, precision));
  leave_region(list, at, "sum-gradient");
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

Bytes dense_activations(const RankShape& at) {
  return at.wide(at.tokens(), at.model.up_width(at.mlp_width()) + at.mlp_width());
}

} // namespace moesim::workloads
