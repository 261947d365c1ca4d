#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

// What an atomic operation on one element moves: a sector of memory. 4,096 tokens of two experts each of 4,096 channels
// in BF16 take 0.20 ms on H200 (tile-ai/TileOPs, pull request 608, PyTorch), of which this is 0.14 ms.
constexpr double sector = 32;

// Tokens, or their gradients, that are sent in FP8 are read once and written in half as many bytes.
void cast_for_experts(SegmentList& list, const RankShape& at, Pass pass) {
  if (at.shape.dispatcher == Dispatcher::DeepEp && at.shape.fp8_dispatch)
    list.unnamed(memory_bound(at.hidden(at.local()) * 1.5, pass));
}

Bytes probabilities(const RankShape& at) {
  return at.fp32(at.local(), at.model.moe->num_experts);
}

// Steps of the router without fusion, each a kernel over all probabilities, counted from memory (Megatron Core 0.13,
// moe_utils.py, topk_routing_with_score_function(), and router.py): scores, top-k, normalisation, scattering of both
// results, and the load-balancing loss; with groups of experts, their scores, top-k and mask. Its backward has no
// indices to find.
constexpr std::size_t router_steps = 18;
constexpr std::size_t group_limited_steps = 7;
constexpr std::size_t router_backward_steps = 10;

void score(SegmentList& list, const RankShape& at, Pass pass) {
  std::size_t steps = 1;
  if (!at.shape.moe_router_fusion && pass == Pass::Forward)
    steps = router_steps + (at.model.moe->groups > 1 ? group_limited_steps : 0);
  else if (!at.shape.moe_router_fusion)
    steps = router_backward_steps;
  list.kernels("", std::vector<Operator>(steps, memory_bound(2 * probabilities(at), pass)));
}

// What the dispatcher wants to know before it sends, counted from memory (token_dispatcher.py, preprocess()): tokens of
// each expert, summed and shared out in several ways, and copied to the host. A few bytes each.
constexpr std::size_t counting_kernels = 8;

// Finding each token's place without fusion, from memory (moe_utils.py, permute() and unpermute()): the mask, indices
// and weights; back again the weights come first, a kernel over all copies.
constexpr std::size_t index_kernels = 4;

void prepare_dispatch(SegmentList& list, const RankShape& at) {
  if (at.shape.cache)
    return;
  std::size_t small = at.shape.sizes.ep > 1 ? counting_kernels : 0;
  if (!at.shape.moe_permute_fusion)
    small += index_kernels;
  list.kernels("", std::vector<Operator>(small, memory_bound(Bytes(), Pass::Forward)));
}

void weigh(SegmentList& list, const RankShape& at, std::string_view name, Pass pass) {
  if (!at.shape.moe_permute_fusion)
    list.kernel(name, memory_bound(2 * at.hidden(at.gathers_tokens() ? at.expert_rows() : at.routed()), pass));
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
  mlp_forward(list, at, "shared-experts", at.shared_width(), at.replicates_tokens() ? "" : "sum-shared-experts");
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
void mixture_forward(SegmentList& list, const RankShape& at) {
  if (has_shared_experts(at)) {
    const bool keeps = list.keeps();
    list.set_keeping(keeps && !recomputes_only_shared_experts(at));
    shared_forward(list, at);
    list.set_keeping(keeps);
  }
  list.kernel("router", gemm_forward(router(at), at.precision()));
  score(list, at, Pass::Forward);
  list.keep(probabilities(at));
  const std::int64_t copies = at.replicates_tokens() ? at.expert_rows() : at.routed();
  prepare_dispatch(list, at);
  if (!at.gathers_tokens())
    list.unnamed(take_rows(at, at.local(), copies, Pass::Forward)); // permute by expert
  cast_for_experts(list, at, Pass::Forward);
  list.workspace(at.hidden(copies));
  experts_forward(list, at);
  weigh(list, at, "unpermute", Pass::Forward);
  if (!at.gathers_tokens())
    list.kernel("unpermute", add_rows(at, copies, at.local(), Pass::Forward));
  if (has_shared_experts(at)) // the shared experts' part is added
    list.unnamed(at.passes(residual_passes, Pass::Forward));
  if (at.replicates_tokens())
    leave_region(list, at, "sum-experts");
}

void mixture_backward(SegmentList& list, const RankShape& at) {
  if (!at.gathers_tokens())
    list.kernel("unpermute", take_rows(at, at.local(), at.routed(), Pass::Backward));
  weigh(list, at, "unpermute", Pass::Backward);
  cast_for_experts(list, at, Pass::Backward);
  list.workspace(at.hidden(at.routed()));
  experts_backward(list, at);
  if (!at.gathers_tokens())
    list.kernel("router", add_rows(at, at.routed(), at.local(), Pass::Backward));
  score(list, at, Pass::Backward);
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

Operator take_rows(const RankShape& at, std::int64_t read, std::int64_t written, Pass pass) {
  return memory_bound(at.hidden(read) + at.hidden(written), pass);
}

Operator add_rows(const RankShape& at, std::int64_t read, std::int64_t written, Pass pass) {
  Bytes moved = at.hidden(read) + at.hidden(written);
  if (!at.shape.moe_permute_fusion)
    moved += Bytes(static_cast<double>(read) * static_cast<double>(at.model.hidden_size) * sector);
  return memory_bound(moved, pass);
}

void moe_forward(SegmentList& list, const RankShape& at) {
  norm_forward(list, at);
  const bool keeps = list.keeps();
  list.set_keeping(keeps && !at.recomputes(RecomputeModule::Moe));
  mixture_forward(list, at);
  list.set_keeping(keeps);
  add_residual(list, at);
}

void moe_backward(SegmentList& list, const RankShape& at) {
  add_residual_backward(list, at);
  norm_again(list, at);
  if (at.recomputes(RecomputeModule::Moe))
    mixture_forward(list, at);
  mixture_backward(list, at);
  norm_backward(list, at);
}

} // namespace moesim::workloads
