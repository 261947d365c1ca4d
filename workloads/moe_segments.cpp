#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Reading tokens in one order and writing them in another.
Bytes reorder(const RankShape& at, std::int64_t read, std::int64_t written) {
  return at.hidden(read) + at.hidden(written);
}

// Shared experts are one dense MLP, tensor-parallel over tp like any other, and run before the router with nothing
// beside them (Megatron Core, shared_experts.py, without moe_shared_expert_overlap).
void shared_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.shared_width());
  enter_region(list, at, "gather-sequence");
  list.kernel("shared-experts", gemm_forward({at.tokens(), up, at.model.hidden_size}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), up + at.shared_width()), Pass::Forward));
  list.unnamed(gemm_forward({at.tokens(), at.model.hidden_size, at.shared_width()}, precision));
  leave_region(list, at, "sum-shared-experts");
  if (!at.model.moe->shared_gate)
    return;
  list.kernel("shared-experts", gemm_forward({at.local(), 1, at.model.hidden_size}, precision));
  list.unnamed(at.passes(2, Pass::Forward)); // reads what the experts gave, writes it scaled
}

void shared_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const std::int64_t up = at.model.up_width(at.shared_width());
  if (at.model.moe->shared_gate) {
    list.kernel("shared-experts", at.passes(3, Pass::Backward)); // reads the gradient and the output, writes a gradient
    list.kernels("shared-experts", gemm_backward({at.local(), 1, at.model.hidden_size}, precision));
  }
  enter_region(list, at, "gather-gradient");
  list.kernels("shared-experts", gemm_backward({at.tokens(), at.model.hidden_size, at.shared_width()}, precision));
  list.unnamed(memory_bound(at.wide(at.tokens(), 2 * up + at.shared_width()), Pass::Backward));
  enter_region(list, at, "gather-sequence");
  list.kernels("shared-experts", gemm_backward({at.tokens(), up, at.model.hidden_size}, precision));
  leave_region(list, at, "sum-gradient");
}

} // namespace

void moe_forward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const MoeSpec& moe = *at.model.moe;
  const std::int64_t up = at.model.up_width(moe.intermediate_size);
  list.unnamed(at.passes(norm_forward_passes, Pass::Forward));
  if (moe.shared_intermediate_size > 0)
    shared_forward(list, at);
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
  if (moe.shared_intermediate_size > 0) // the shared experts' part is added
    list.unnamed(at.passes(residual_passes, Pass::Forward));
  add_residual(list, at);
}

void moe_backward(SegmentList& list, const RankShape& at) {
  const Precision precision = at.shape.precision;
  const MoeSpec& moe = *at.model.moe;
  const std::int64_t up = at.model.up_width(moe.intermediate_size);
  if (at.model.post_norms)
    list.unnamed(at.passes(norm_backward_passes, Pass::Backward));
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
  if (moe.shared_intermediate_size > 0) {
    shared_backward(list, at);
    list.unnamed(at.passes(residual_passes, Pass::Backward)); // adds the two gradients of the input
  }
  list.unnamed(at.passes(norm_backward_passes + residual_passes, Pass::Backward));
}

Bytes moe_activations(const RankShape& at) {
  const MoeSpec& moe = *at.model.moe;
  Bytes kept = at.fp32(at.local(), moe.num_experts); // the router's probabilities
  kept += 2 * at.hidden(at.routed());                // the experts' inputs and outputs
  kept += at.wide(at.routed(), at.model.up_width(moe.intermediate_size) + moe.intermediate_size);
  if (moe.shared_intermediate_size > 0)
    kept += at.wide(at.tokens(), at.model.up_width(at.shared_width()) + at.shared_width());
  if (moe.shared_gate) // scales what the shared experts gave
    kept += at.hidden(at.local()) + at.fp32(at.local(), 1);
  return kept;
}

} // namespace moesim::workloads
