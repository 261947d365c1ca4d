#include "workloads/expert_mlp.hpp"

#include <algorithm>
#include <vector>

namespace moesim::workloads {
namespace {

// Tokens arrive by sender, and several experts want them by expert; even one wants them out of DeepEP's buffer. Where
// all were gathered, their copies for this rank's experts are made now; without fusion they are taken first and then
// sorted.
void sort_tokens(SegmentList& list, const RankShape& at, std::string_view name, const ExpertRows& load, Pass pass) {
  if (at.gathers_tokens()) {
    list.kernel(name, take_rows(at, at.group_tokens(load.tokens), load.rows, pass));
    if (!at.shape.moe_permute_fusion)
      list.unnamed(take_rows(at, load.rows, load.rows, pass));
  } else if ((at.experts() > 1 && at.shape.sizes.ep * at.shape.sizes.etp > 1) || at.sends_each_token_once()) {
    list.kernel(name, memory_bound(2 * at.hidden(load.rows), pass));
  }
}

// And back into the order in which they came.
void unsort_tokens(SegmentList& list, const RankShape& at, const ExpertRows& load, Pass pass) {
  if (at.sends_each_token_once() && !at.gathers_tokens())
    return list.unnamed(add_rows(at, load.rows, load.rows, pass));
  if (!at.gathers_tokens())
    return sort_tokens(list, at, "", load, pass);
  if (!at.shape.moe_permute_fusion)
    list.unnamed(add_rows(at, load.rows, load.rows, pass));
  list.unnamed(add_rows(at, load.rows, at.group_tokens(load.tokens), pass));
}

std::int64_t up_width(const RankShape& at) {
  return at.model.up_width(at.expert_width());
}

// Of all experts of the rank, [rows, k] by [k, n].
GemmShape matrix(const RankShape& at, const ExpertRows& load, std::int64_t n, std::int64_t k) {
  return {.rows = load.rows,
          .n = n,
          .k = k,
          .groups = load.experts,
          .of_groups = load.of_experts,
          .groups_share_kernel = at.shape.cache.has_value(),
          .idle_groups = std::max<std::int64_t>(0, at.experts() - load.experts)};
}

GemmShape first_matrix(const RankShape& at, const ExpertRows& load) {
  return matrix(at, load, up_width(at), at.model.hidden_size);
}

GemmShape second_matrix(const RankShape& at, const ExpertRows& load) {
  return matrix(at, load, at.model.hidden_size, at.expert_width());
}

// Inputs and first products of the experts. Their outputs are not needed again: the router's weights scale what the
// activation gives, not what the second product makes of it (Megatron Core, experts.py, weighted_bias_swiglu).
Bytes expert_activations(const RankShape& at, const ExpertRows& load) {
  return at.shape.product_input(load.rows, at.model.hidden_size) + at.wide(load.rows, up_width(at));
}

Bytes activation_outputs(const RankShape& at, const ExpertRows& load) {
  return at.shape.product_input(load.rows, at.expert_width());
}

bool is_in_products(const RankShape& at) {
  return at.shape.moe_activation == ExpertActivation::InProducts && is_cast_for_products(at.shape.precision);
}

// Kernels of the host's framework for each expert, over all rows together.
Operator for_each_expert(Bytes bytes, const ExpertRows& load, std::int64_t kernels, Pass pass) {
  Operator op = memory_bound(bytes, pass);
  op.launches = kernels * load.experts;
  return op;
}

// Clamping both halves of what the first product gave, and joining them (Megatron Core, fused_bias_geglu.py,
// weighted_bias_quick_geglu_impl); backward the gradients that the clamps let through, with what they were made of.
void clamp(SegmentList& list, const RankShape& at, const ExpertRows& load, Pass pass) {
  if (at.shape.moe_activation != ExpertActivation::Steps || !at.model.clamps_activation)
    return;
  const Bytes up = at.wide(load.rows, up_width(at));
  Operator halves = memory_bound((pass == Pass::Forward ? 2 : 3) * up, pass);
  halves.launches = 2;
  list.unnamed(halves);
  list.unnamed(memory_bound(2 * up, pass));
}

// Biases of the second product times the router's weights, added expert by expert, joined and cast (Megatron Core,
// experts.py, TEGroupedMLP._apply_bias). Dispatchers of the flex kind have these weights in FP32, and what they are
// multiplied with becomes that. Backward: the gradients of both factors, each a product and a sum.
void add_biases(SegmentList& list, const RankShape& at, const ExpertRows& load, Pass pass) {
  if (at.shape.moe_activation != ExpertActivation::Steps || !at.model.mlp_bias)
    return;
  const bool is_wide = at.shape.dispatcher == Dispatcher::DeepEp;
  const Bytes narrow = at.hidden(load.rows);
  const Bytes sum = is_wide ? at.fp32(load.rows, at.model.hidden_size) : narrow;
  if (pass == Pass::Forward) {
    list.unnamed(for_each_expert(sum + (narrow + 2 * sum), load, 2, pass));
    list.unnamed(memory_bound(2 * sum, pass));
    if (is_wide)
      list.unnamed(memory_bound(sum + narrow, pass));
    return;
  }
  if (is_wide)
    list.unnamed(memory_bound(narrow + sum, pass));
  list.unnamed(for_each_expert(6 * sum, load, 4, pass));
  if (is_wide)
    list.unnamed(for_each_expert(sum + narrow, load, 1, pass));
  list.unnamed(memory_bound(2 * narrow, pass));
}

void activate_experts(SegmentList& list, const RankShape& at, const ExpertRows& load) {
  clamp(list, at, load, Pass::Forward);
  list.unnamed(memory_bound(at.wide(load.rows, up_width(at) + at.expert_width()), Pass::Forward));
}

// Ends with the result of the second product. Where products activate, the first one also writes what the second one
// reads (cudnn-frontend 1.19, grouped GEMM with SwiGLU).
void products_forward(SegmentList& list, const RankShape& at, const ExpertRows& load) {
  if (is_in_products(at)) {
    linear_forward(list, at, "experts", first_matrix(at, load), 2 * activation_outputs(at, load));
    return list.unnamed(gemm_forward(second_matrix(at, load), at.shape.precision));
  }
  linear_forward(list, at, "experts", first_matrix(at, load));
  activate_experts(list, at, load);
  linear_forward(list, at, "", second_matrix(at, load));
}

// Likewise: the gradient of the second product's input, of which only what becomes of it is written, needs what the
// first one gave.
void products_backward(SegmentList& list, const RankShape& at, const ExpertRows& load) {
  const std::int64_t up = up_width(at);
  if (is_in_products(at)) {
    const Bytes cast = 2 * at.shape.product_input(load.rows, up);
    linear_backward(list, at, "experts", second_matrix(at, load), Bias::No,
                    at.wide(load.rows, up) + cast - at.wide(load.rows, at.expert_width()));
    return list.kernels("experts",
                        gemm_backward(first_matrix(at, load), at.shape.precision, at.shape.gradient_precision));
  }
  linear_backward(list, at, "experts", second_matrix(at, load));
  list.unnamed(memory_bound(at.wide(load.rows, 2 * up + at.expert_width()), Pass::Backward));
  clamp(list, at, load, Pass::Backward);
  linear_backward(list, at, "experts", first_matrix(at, load));
}

MicroBatchShape in_precision_of_experts(MicroBatchShape shape) {
  if (shape.expert_precision) {
    shape.precision = *shape.expert_precision;
    shape.weight_precision = shape.expert_weight_precision;
  }
  return shape;
}

} // namespace

void expert_mlp_forward(SegmentList& list, const RankShape& layer, const ExpertRows& load) {
  const MicroBatchShape shape = in_precision_of_experts(layer.shape);
  const RankShape at{layer.model, shape, layer.kind, layer.load};
  sort_tokens(list, at, "experts", load, Pass::Forward);
  products_forward(list, at, load);
  list.keep(expert_activations(at, load));
  if (at.recomputes(RecomputeModule::MoeAct))
    list.workspace(activation_outputs(at, load));
  else
    list.keep(activation_outputs(at, load));
  add_biases(list, at, load, Pass::Forward);
  unsort_tokens(list, at, load, Pass::Forward);
}

void expert_mlp_backward(SegmentList& list, const RankShape& at, const ExpertRows& load) {
  const std::int64_t up = up_width(at);
  sort_tokens(list, at, "experts", load, Pass::Backward);
  add_biases(list, at, load, Pass::Backward);
  if (at.recomputes(RecomputeModule::MoeAct)) {
    activate_experts(list, at, load);
    list.keep(activation_outputs(at, load));
  }
  products_backward(list, at, load);
  unsort_tokens(list, at, load, Pass::Backward);
  list.release(expert_activations(at, load) + activation_outputs(at, load));
  list.workspace(at.hidden(load.rows) + at.wide(load.rows, up + at.expert_width())); // their gradients
}

} // namespace moesim::workloads
