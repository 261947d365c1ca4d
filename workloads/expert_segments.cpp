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

void communicate(SegmentList& list, Runs runs, std::string_view name, Kind kind, Dimension over, Bytes bytes,
                 Bytes result) {
  if (runs == Runs::BesideNext)
    list.collective_beside(name, kind, over, bytes, result);
  else
    list.collective(name, kind, over, bytes, result);
}

// Tokens go to the ranks of their experts; those that share an expert's columns collect all of its tokens (Megatron
// Core, token_dispatcher.py: all-to-all over ep, then all-gather over etp) ...
void scatter(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view send,
             std::string_view gather) {
  communicate(list, runs, send, Kind::AllToAll, Dimension::Ep, at.hidden(load.routed), at.hidden(load.routed));
  communicate(list, runs, gather, Kind::AllGather, Dimension::Etp, at.hidden(load.rows), at.hidden(load.rows));
}

// ... and back, with the sum over the columns. Gradients go the same way.
void collect(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view sum,
             std::string_view send) {
  communicate(list, runs, sum, Kind::ReduceScatter, Dimension::Etp, at.hidden(load.rows), at.hidden(load.routed));
  communicate(list, runs, send, Kind::AllToAll, Dimension::Ep, at.hidden(load.routed), at.hidden(load.routed));
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
