#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Reading tokens in one order and writing them in another.
Bytes reorder(const RankShape& at, std::int64_t read, std::int64_t written) {
  return at.hidden(read) + at.hidden(written);
}

// Tokens arrive by sender, and several experts want them by expert.
bool sorts_by_expert(const RankShape& at) {
  return at.experts() > 1 && at.shape.sizes.ep * at.shape.sizes.etp > 1;
}

void sort_tokens(SegmentList& list, const RankShape& at, std::string_view name, Pass pass) {
  if (sorts_by_expert(at))
    list.kernel(name, memory_bound(reorder(at, at.expert_rows(), at.expert_rows()), pass));
}

// Tokens go to the ranks of their experts; those that share an expert's columns collect all of its tokens (Megatron
// Core, token_dispatcher.py: all-to-all over ep, then all-gather over etp) ...
void dispatch(SegmentList& list, const RankShape& at) {
  list.collective("dispatch", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()), at.hidden(at.routed()));
  list.collective("gather-tokens", Kind::AllGather, Dimension::Etp, at.hidden(at.expert_rows()),
                  at.hidden(at.expert_rows()));
}

// ... and back, with the sum over the columns.
void combine(SegmentList& list, const RankShape& at) {
  list.collective("sum-experts", Kind::ReduceScatter, Dimension::Etp, at.hidden(at.expert_rows()),
                  at.hidden(at.routed()));
  list.collective("combine", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()), at.hidden(at.routed()));
}

GemmShape first_matrix(const RankShape& at) {
  return {at.expert_rows(), at.model.up_width(at.expert_width()), at.model.hidden_size, at.active_experts()};
}

GemmShape second_matrix(const RankShape& at) {
  return {at.expert_rows(), at.model.hidden_size, at.expert_width(), at.active_experts()};
}

// Inputs and first products of the experts. Their outputs are not needed again: the router's weights scale what the
// activation gives, not what the second product makes of it (Megatron Core, experts.py, weighted_bias_swiglu).
Bytes expert_activations(const RankShape& at) {
  return at.shape.product_input(at.expert_rows(), at.model.hidden_size) +
         at.wide(at.expert_rows(), at.model.up_width(at.expert_width()));
}

Bytes activation_outputs(const RankShape& at) {
  return at.shape.product_input(at.expert_rows(), at.expert_width());
}

Operator activation(const RankShape& at) {
  return memory_bound(at.wide(at.expert_rows(), at.model.up_width(at.expert_width()) + at.expert_width()),
                      Pass::Forward);
}

Bytes probabilities(const RankShape& at) {
  return at.fp32(at.local(), at.model.moe->num_experts);
}

GemmShape router(const RankShape& at) {
  return {at.local(), at.model.moe->num_experts, at.model.hidden_size};
}

// What the shared experts' gate keeps to scale what they gave.
Bytes gate_activations(const RankShape& at) {
  return at.hidden(at.local()) + at.fp32(at.local(), 1);
}

// Shared experts are one dense MLP, tensor-parallel over tp like any other, and run before the router with nothing
// beside them (Megatron Core, shared_experts.py, without moe_shared_expert_overlap).
void shared_forward(SegmentList& list, const RankShape& at) {
  mlp_forward(list, at, "shared-experts", at.shared_width(), "sum-shared-experts");
  if (!at.model.moe->shared_gate)
    return;
  list.kernel("shared-experts", gemm_forward({at.local(), 1, at.model.hidden_size}, at.precision()));
  list.unnamed(at.passes(2, Pass::Forward)); // reads what the experts gave, writes it scaled
  list.keep(gate_activations(at));
}

void shared_backward(SegmentList& list, const RankShape& at) {
  if (at.model.moe->shared_gate) {
    list.kernel("shared-experts", at.passes(3, Pass::Backward)); // reads the gradient and the output, writes a gradient
    list.kernels("shared-experts",
                 gemm_backward({at.local(), 1, at.model.hidden_size}, at.precision(), at.shape.gradient_precision));
    list.release(gate_activations(at));
  }
  mlp_backward(list, at, "shared-experts", at.shared_width());
}

bool has_shared_experts(const RankShape& at) {
  return at.model.moe->shared_intermediate_size > 0;
}

// Recomputing all of the layer's experts includes the shared ones.
bool recomputes_only_shared_experts(const RankShape& at) {
  return at.recomputes(RecomputeModule::SharedExperts) && !at.recomputes(RecomputeModule::Moe);
}

// From the normalised input to the sum of what the experts made of it.
void experts_forward(SegmentList& list, const RankShape& at) {
  if (has_shared_experts(at)) {
    const bool keeps = list.keeps();
    list.set_keeping(keeps && !recomputes_only_shared_experts(at));
    shared_forward(list, at);
    list.set_keeping(keeps);
  }
  list.kernel("router", gemm_forward(router(at), at.precision()));
  list.unnamed(memory_bound(2 * probabilities(at), Pass::Forward)); // softmax and top-k
  list.keep(probabilities(at));
  list.unnamed(memory_bound(reorder(at, at.local(), at.routed()), Pass::Forward)); // permute by expert
  list.workspace(at.hidden(at.routed()));
  dispatch(list, at);
  sort_tokens(list, at, "experts", Pass::Forward);
  linear_forward(list, at, "experts", first_matrix(at));
  list.unnamed(activation(at));
  list.keep(expert_activations(at));
  if (at.recomputes(RecomputeModule::MoeAct))
    list.workspace(activation_outputs(at));
  else
    list.keep(activation_outputs(at));
  linear_forward(list, at, "", second_matrix(at));
  sort_tokens(list, at, "", Pass::Forward);
  combine(list, at);
  list.kernel("unpermute", memory_bound(reorder(at, at.routed(), at.local()), Pass::Forward));
  if (has_shared_experts(at)) // the shared experts' part is added
    list.unnamed(at.passes(residual_passes, Pass::Forward));
}

void experts_backward(SegmentList& list, const RankShape& at) {
  const std::int64_t up = at.model.up_width(at.expert_width());
  list.kernel("unpermute", memory_bound(reorder(at, at.local(), at.routed()), Pass::Backward));
  list.workspace(at.hidden(at.routed()));
  list.collective("combine", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()), at.hidden(at.routed()));
  list.collective("gather-gradients", Kind::AllGather, Dimension::Etp, at.hidden(at.expert_rows()),
                  at.hidden(at.expert_rows()));
  sort_tokens(list, at, "experts", Pass::Backward);
  if (at.recomputes(RecomputeModule::MoeAct)) {
    list.kernel("experts", activation(at));
    list.keep(activation_outputs(at));
  }
  linear_backward(list, at, "experts", second_matrix(at));
  list.unnamed(memory_bound(at.wide(at.expert_rows(), 2 * up + at.expert_width()), Pass::Backward));
  linear_backward(list, at, "experts", first_matrix(at));
  sort_tokens(list, at, "", Pass::Backward);
  list.release(expert_activations(at) + activation_outputs(at));
  list.workspace(at.hidden(at.expert_rows()) + at.wide(at.expert_rows(), up + at.expert_width())); // their gradients
  list.collective("sum-gradients", Kind::ReduceScatter, Dimension::Etp, at.hidden(at.expert_rows()),
                  at.hidden(at.routed()));
  list.collective("dispatch", Kind::AllToAll, Dimension::Ep, at.hidden(at.routed()), at.hidden(at.routed()));
  list.kernel("router", memory_bound(reorder(at, at.routed(), at.local()), Pass::Backward));
  list.unnamed(memory_bound(2 * probabilities(at), Pass::Backward));
  list.kernels("router", gemm_backward(router(at), at.precision(), at.shape.gradient_precision));
  list.release(probabilities(at));
  if (!has_shared_experts(at))
    return;
  if (recomputes_only_shared_experts(at))
    shared_forward(list, at);
  shared_backward(list, at);
  list.unnamed(at.passes(residual_passes, Pass::Backward)); // adds the two gradients of the input
}

} // namespace

void moe_forward(SegmentList& list, const RankShape& at) {
  norm_forward(list, at);
  const bool keeps = list.keeps();
  list.set_keeping(keeps && !at.recomputes(RecomputeModule::Moe));
  experts_forward(list, at);
  list.set_keeping(keeps);
  add_residual(list, at);
}

void moe_backward(SegmentList& list, const RankShape& at) {
  add_residual_backward(list, at);
  norm_again(list, at);
  if (at.recomputes(RecomputeModule::Moe))
    experts_forward(list, at);
  experts_backward(list, at);
  norm_backward(list, at);
}

} // namespace moesim::workloads
