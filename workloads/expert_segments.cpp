// The experts of a layer, and the way of the tokens to them and back.
#include <array>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Token copies that are on their way together: sent by this rank, and worked on by its experts.
struct Load {
  std::int64_t routed = 0;
  std::int64_t rows = 0;
};

Load load_of(const RankShape& at, std::int64_t tokens) {
  const std::int64_t copies = tokens * at.model.moe->experts_per_token;
  return {copies, copies * at.shape.sizes.etp};
}

// Whether tokens go in two halves: a single one does not, nor do those that nobody sends.
bool goes_in_halves(const RankShape& at) {
  return at.shape.overlaps_experts && at.shape.sizes.ep * at.shape.sizes.etp > 1 && at.local() > 1;
}

std::array<Load, 2> halves(const RankShape& at) {
  const std::int64_t first = (at.local() + 1) / 2;
  return {load_of(at, first), load_of(at, at.local() - first)};
}

enum class Runs : std::uint8_t { InLine, BesideNext };

// A collective of the experts' ranks.
struct Message {
  Kind kind = Kind::AllToAll;
  Bytes bytes;  // as nccl-tests counts them
  Bytes result; // what a member holds while it runs
};

// Of token copies that DeepEP sends to experts: in FP8 with a scale in FP32 for each 128 channels (DeepSeek-V3, arXiv
// 2412.19437, section 3.3.2).
Bytes dispatched(const RankShape& at, std::int64_t copies) {
  if (!at.shape.fp8_dispatch)
    return at.hidden(copies);
  constexpr double channels_per_scale = 128;
  return MicroBatchShape::elements(copies, at.model.hidden_size, Precision::Fp8) *
         (1 + fp32_bytes / channels_per_scale);
}

void communicate(SegmentList& list, const RankShape& at, Runs runs, std::string_view name, Dimension over,
                 const Message& message) {
  const MoeSpec& moe = *at.model.moe;
  const bool is_routed = message.kind == Kind::Dispatch || message.kind == Kind::Combine;
  const graph::TokenRouting routing =
      is_routed ? graph::TokenRouting{.experts = static_cast<std::int32_t>(moe.num_experts),
                                      .per_token = static_cast<std::int32_t>(moe.experts_per_token),
                                      .groups = static_cast<std::int32_t>(moe.groups),
                                      .groups_per_token = static_cast<std::int32_t>(moe.groups_per_token),
                                      .token = message.kind == Kind::Dispatch ? dispatched(at, 1) : at.hidden(1)}
                : graph::TokenRouting{};
  if (runs == Runs::BesideNext)
    list.collective_beside(name, message.kind, over, message.bytes, message.result, routing);
  else
    list.collective(name, message.kind, over, message.bytes, message.result, routing);
}

// The tokens of all ranks of an expert-parallel group, of which this rank has `copies` over the experts of a token.
Bytes gathered(const RankShape& at, std::int64_t copies) {
  return at.hidden(copies / at.model.moe->experts_per_token * at.shape.sizes.ep);
}

Message to_experts(const RankShape& at, std::int64_t copies) {
  switch (at.shape.dispatcher) {
  case Dispatcher::AllGather:
    return {Kind::AllGather, gathered(at, copies), gathered(at, copies)};
  case Dispatcher::DeepEp:
    return {Kind::Dispatch, dispatched(at, copies), dispatched(at, copies)};
  case Dispatcher::AllToAll:
    break;
  }
  return {Kind::AllToAll, at.hidden(copies), at.hidden(copies)};
}

Message from_experts(const RankShape& at, std::int64_t copies) {
  switch (at.shape.dispatcher) {
  case Dispatcher::AllGather:
    return {Kind::ReduceScatter, gathered(at, copies), at.hidden(copies)};
  case Dispatcher::DeepEp:
    return {Kind::Combine, at.hidden(copies), at.hidden(copies)};
  case Dispatcher::AllToAll:
    break;
  }
  return {Kind::AllToAll, at.hidden(copies), at.hidden(copies)};
}

// Tokens go to the ranks of their experts; those that share an expert's columns collect all of its tokens (Megatron
// Core, token_dispatcher.py: all-to-all over ep, then all-gather over etp) ...
void scatter(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view send,
             std::string_view gather) {
  communicate(list, at, runs, send, Dimension::Ep, to_experts(at, load.routed));
  communicate(list, at, runs, gather, Dimension::Etp, {Kind::AllGather, at.hidden(load.rows), at.hidden(load.rows)});
}

// ... and back, with the sum over the columns. Gradients go the same way.
void collect(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view sum,
             std::string_view send) {
  communicate(list, at, runs, sum, Dimension::Etp, {Kind::ReduceScatter, at.hidden(load.rows), at.hidden(load.routed)});
  communicate(list, at, runs, send, Dimension::Ep, from_experts(at, load.routed));
}

// Tokens arrive by sender, and several experts want them by expert.
void sort_tokens(SegmentList& list, const RankShape& at, std::string_view name, const Load& load, Pass pass) {
  if (at.experts() > 1 && at.shape.sizes.ep * at.shape.sizes.etp > 1)
    list.kernel(name, memory_bound(2 * at.hidden(load.rows), pass));
}

GemmShape first_matrix(const RankShape& at, const Load& load) {
  return {load.rows, at.model.up_width(at.expert_width()), at.model.hidden_size, at.active_experts()};
}

GemmShape second_matrix(const RankShape& at, const Load& load) {
  return {load.rows, at.model.hidden_size, at.expert_width(), at.active_experts()};
}

// Inputs and first products of the experts. Their outputs are not needed again: the router's weights scale what the
// activation gives, not what the second product makes of it (Megatron Core, experts.py, weighted_bias_swiglu).
Bytes expert_activations(const RankShape& at, const Load& load) {
  return at.shape.product_input(load.rows, at.model.hidden_size) +
         at.wide(load.rows, at.model.up_width(at.expert_width()));
}

Bytes activation_outputs(const RankShape& at, const Load& load) {
  return at.shape.product_input(load.rows, at.expert_width());
}

Operator activation(const RankShape& at, const Load& load) {
  return memory_bound(at.wide(load.rows, at.model.up_width(at.expert_width()) + at.expert_width()), Pass::Forward);
}

void compute_forward(SegmentList& list, const RankShape& at, const Load& load) {
  sort_tokens(list, at, "experts", load, Pass::Forward);
  linear_forward(list, at, "experts", first_matrix(at, load));
  list.unnamed(activation(at, load));
  list.keep(expert_activations(at, load));
  if (at.recomputes(RecomputeModule::MoeAct))
    list.workspace(activation_outputs(at, load));
  else
    list.keep(activation_outputs(at, load));
  linear_forward(list, at, "", second_matrix(at, load));
  sort_tokens(list, at, "", load, Pass::Forward);
}

void compute_backward(SegmentList& list, const RankShape& at, const Load& load) {
  const std::int64_t up = at.model.up_width(at.expert_width());
  sort_tokens(list, at, "experts", load, Pass::Backward);
  if (at.recomputes(RecomputeModule::MoeAct)) {
    list.kernel("experts", activation(at, load));
    list.keep(activation_outputs(at, load));
  }
  linear_backward(list, at, "experts", second_matrix(at, load));
  list.unnamed(memory_bound(at.wide(load.rows, 2 * up + at.expert_width()), Pass::Backward));
  linear_backward(list, at, "experts", first_matrix(at, load));
  sort_tokens(list, at, "", load, Pass::Backward);
  list.release(expert_activations(at, load) + activation_outputs(at, load));
  list.workspace(at.hidden(load.rows) + at.wide(load.rows, up + at.expert_width())); // their gradients
}

// All tokens at once, or half of them on the way while the experts work on the other half.
template <class Scatter, class Compute, class Collect>
void by_load(SegmentList& list, const RankShape& at, Scatter scatter_load, Compute compute, Collect collect_load) {
  if (!goes_in_halves(at)) {
    const Load all{at.routed(), at.expert_rows()};
    scatter_load(all, Runs::InLine);
    compute(list, at, all);
    return collect_load(all, Runs::InLine);
  }
  const auto [first, second] = halves(at);
  scatter_load(first, Runs::InLine);
  scatter_load(second, Runs::BesideNext);
  compute(list, at, first);
  collect_load(first, Runs::BesideNext);
  compute(list, at, second);
  collect_load(second, Runs::InLine);
  list.read_too(at.hidden(first.routed));
}

} // namespace

void experts_forward(SegmentList& list, const RankShape& at) {
  if (at.replicates_tokens())
    return compute_forward(list, at, {at.expert_rows(), at.expert_rows()});
  by_load(
      list, at, [&](const Load& load, Runs runs) { scatter(list, at, load, runs, "dispatch", "gather-tokens"); },
      compute_forward, [&](const Load& load, Runs runs) { collect(list, at, load, runs, "sum-experts", "combine"); });
}

void experts_backward(SegmentList& list, const RankShape& at) {
  by_load(
      list, at, [&](const Load& load, Runs runs) { scatter(list, at, load, runs, "combine", "gather-gradients"); },
      compute_backward,
      [&](const Load& load, Runs runs) { collect(list, at, load, runs, "sum-gradients", "dispatch"); });
}

} // namespace moesim::workloads
