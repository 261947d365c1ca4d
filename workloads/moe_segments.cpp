#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Reading tokens in one order and writing them in another.
Bytes reorder(const RankShape& at, std::int64_t read, std::int64_t written) {
  return at.hidden(read) + at.hidden(written);
}

} // namespace

void moe_forward(SegmentList& list, const RankShape& at) {
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

void moe_backward(SegmentList& list, const RankShape& at) {
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

} // namespace moesim::workloads
