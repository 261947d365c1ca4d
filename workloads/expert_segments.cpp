// The experts of a layer, and the way of the tokens to them and back.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {
namespace {

using graph::Dimension;
using graph::Kind;

// Tokens that are on their way together, and their copies: sent by this rank, sent to it, and worked on by its experts.
struct Load {
  std::int64_t tokens = 0;
  std::int64_t routed = 0;
  std::int64_t received = 0;
  std::int64_t rows = 0;
  std::int64_t experts = 0; // that meet any
  GroupRows of_experts{};
  double share = 1; // of the micro-batch
};

Load whole_load(const RankShape& at) {
  return {.tokens = at.local(),
          .routed = at.routed(),
          .received = at.received(),
          .rows = at.expert_rows(),
          .experts = at.active_experts(),
          .of_experts = at.load != nullptr ? GroupRows(at.load->rows) : GroupRows()};
}

// Whether tokens go in two halves: a single one does not, nor do those that nobody sends.
bool goes_in_halves(const RankShape& at) {
  return at.shape.overlaps_experts && at.shape.sizes.ep * at.shape.sizes.etp > 1 && at.local() > 1;
}

// Of an amount, what goes with the first of the tokens.
std::int64_t share_of(std::int64_t amount, std::int64_t first, std::int64_t tokens) {
  return (amount * first + tokens - 1) / tokens;
}

Load even_load(const RankShape& at, std::int64_t tokens) {
  const std::int64_t copies = tokens * at.model.moe->experts_per_token;
  return {.tokens = tokens,
          .routed = copies,
          .received = copies,
          .rows = copies * at.shape.sizes.etp,
          .experts = at.active_experts()};
}

std::array<Load, 2> halves(const RankShape& at) {
  const std::int64_t tokens = at.local();
  const std::int64_t first = (tokens + 1) / 2;
  if (at.load == nullptr)
    return {even_load(at, first), even_load(at, tokens - first)};
  std::array<Load, 2> loads;
  std::array<std::vector<std::int64_t>, 2> rows;
  for (const std::int64_t of_expert : at.load->rows) {
    rows[0].push_back(share_of(of_expert, first, tokens));
    rows[1].push_back(of_expert - rows[0].back());
  }
  const auto part = [&](std::int64_t amount) { return share_of(amount, first, tokens); };
  loads[0] = {.tokens = first, .routed = part(at.routed()), .received = part(at.received())};
  loads[1] = {
      .tokens = tokens - first, .routed = at.routed() - loads[0].routed, .received = at.received() - loads[0].received};
  for (std::size_t half = 0; half < loads.size(); ++half) {
    loads[half].rows = std::accumulate(rows[half].begin(), rows[half].end(), std::int64_t{0});
    loads[half].experts = std::ranges::count_if(rows[half], [](std::int64_t count) { return count > 0; });
    loads[half].of_experts = GroupRows(std::move(rows[half]));
    loads[half].share = static_cast<double>(loads[half].tokens) / static_cast<double>(tokens);
  }
  return loads;
}

enum class Runs : std::uint8_t { InLine, BesideNext };

// A collective of the experts' ranks.
struct Message {
  Kind kind = Kind::AllToAll;
  Bytes bytes;  // as nccl-tests counts them
  Bytes result; // what a member holds while it runs
  graph::TokenTraffic traffic{};
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
  TokensSent tokens;
  if (at.load != nullptr && moves_tokens(message.kind))
    tokens.traffic = message.traffic;
  tokens.routing = is_routed
                       ? graph::TokenRouting{.experts = static_cast<std::int32_t>(moe.num_experts),
                                             .per_token = static_cast<std::int32_t>(moe.experts_per_token),
                                             .groups = static_cast<std::int32_t>(moe.groups),
                                             .groups_per_token = static_cast<std::int32_t>(moe.groups_per_token),
                                             .token = message.kind == Kind::Dispatch ? dispatched(at, 1) : at.hidden(1)}
                       : graph::TokenRouting{};
  if (runs == Runs::BesideNext)
    list.collective_beside(name, message.kind, over, message.bytes, message.result, tokens);
  else
    list.collective(name, message.kind, over, message.bytes, message.result, tokens);
}

// The tokens of all ranks of an expert-parallel group, of which this rank has `tokens`.
Bytes gathered(const RankShape& at, std::int64_t tokens) {
  return at.hidden(tokens * at.shape.sizes.ep);
}

Message to_experts(const RankShape& at, const Load& load) {
  const graph::TokenTraffic traffic{.share = load.share, .returns = false, .copy = at.hidden(1)};
  switch (at.shape.dispatcher) {
  case Dispatcher::AllGather:
    return {Kind::AllGather, gathered(at, load.tokens), gathered(at, load.tokens)};
  case Dispatcher::DeepEp:
    return {Kind::Dispatch,
            dispatched(at, load.routed),
            dispatched(at, load.received),
            {.share = load.share, .returns = false, .copy = dispatched(at, 1)}};
  case Dispatcher::AllToAll:
    break;
  }
  return {Kind::AllToAll, at.hidden(load.routed), at.hidden(load.received), traffic};
}

Message from_experts(const RankShape& at, const Load& load) {
  const graph::TokenTraffic traffic{.share = load.share, .returns = true, .copy = at.hidden(1)};
  switch (at.shape.dispatcher) {
  case Dispatcher::AllGather:
    return {Kind::ReduceScatter, gathered(at, load.tokens), at.hidden(load.routed)};
  case Dispatcher::DeepEp:
    return {Kind::Combine, at.hidden(load.received), at.hidden(load.routed), traffic};
  case Dispatcher::AllToAll:
    break;
  }
  return {Kind::AllToAll, at.hidden(load.received), at.hidden(load.routed), traffic};
}

// Tokens go to the ranks of their experts; those that share an expert's columns collect all of its tokens (Megatron
// Core, token_dispatcher.py: all-to-all over ep, then all-gather over etp) ...
void scatter(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view send,
             std::string_view gather) {
  communicate(list, at, runs, send, Dimension::Ep, to_experts(at, load));
  communicate(list, at, runs, gather, Dimension::Etp, {Kind::AllGather, at.hidden(load.rows), at.hidden(load.rows)});
}

// ... and back, with the sum over the columns. Gradients go the same way.
void collect(SegmentList& list, const RankShape& at, const Load& load, Runs runs, std::string_view sum,
             std::string_view send) {
  communicate(list, at, runs, sum, Dimension::Etp,
              {Kind::ReduceScatter, at.hidden(load.rows), at.hidden(load.received)});
  communicate(list, at, runs, send, Dimension::Ep, from_experts(at, load));
}

// Tokens arrive by sender, and several experts want them by expert.
void sort_tokens(SegmentList& list, const RankShape& at, std::string_view name, const Load& load, Pass pass) {
  if (at.experts() > 1 && at.shape.sizes.ep * at.shape.sizes.etp > 1)
    list.kernel(name, memory_bound(2 * at.hidden(load.rows), pass));
}

GemmShape first_matrix(const RankShape& at, const Load& load) {
  return {load.rows,
          at.model.up_width(at.expert_width()),
          at.model.hidden_size,
          load.experts,
          load.of_experts,
          at.shape.cache.has_value()};
}

GemmShape second_matrix(const RankShape& at, const Load& load) {
  return {load.rows,    at.model.hidden_size, at.expert_width(),
          load.experts, load.of_experts,      at.shape.cache.has_value()};
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

MicroBatchShape in_precision_of_experts(MicroBatchShape shape) {
  if (shape.expert_precision) {
    shape.precision = *shape.expert_precision;
    shape.weight_precision = shape.expert_weight_precision;
  }
  return shape;
}

void compute_forward(SegmentList& list, const RankShape& layer, const Load& load) {
  const MicroBatchShape shape = in_precision_of_experts(layer.shape);
  const RankShape at{layer.model, shape, layer.kind, layer.load};
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

// Of the experts of this rank, or of one of them.
Bytes expert_weights(const RankShape& at, Precision precision) {
  const std::int64_t width = at.model.up_width(at.expert_width()) + at.expert_width();
  return MicroBatchShape::elements(at.model.hidden_size, width, precision);
}

// Where ranks steal tokens, the weights go along that the thieves do not have; they are not kept for the backward,
// which asks for them again, and returns the gradients.
void steal_weights(SegmentList& list, const RankShape& at, std::string_view name, Precision precision, bool returns) {
  if (at.load == nullptr || !at.load->may_steal)
    return;
  const Bytes one = expert_weights(at, precision);
  const auto sent = static_cast<double>(returns ? at.load->weights_received : at.load->weights_sent);
  const auto received = static_cast<double>(returns ? at.load->weights_sent : at.load->weights_received);
  TokensSent tokens;
  tokens.traffic.returns = returns;
  tokens.traffic.of_weights = true;
  tokens.traffic.copy = one;
  tokens.traffic.reaction = returns ? Seconds() : at.shape.reaction;
  list.collective(name, Kind::AllToAll, Dimension::Ep, sent * one, received * one, tokens);
}

// All tokens at once, or half of them on the way while the experts work on the other half.
template <class Scatter, class Compute, class Collect>
void by_load(SegmentList& list, const RankShape& at, Scatter scatter_load, Compute compute, Collect collect_load) {
  if (!goes_in_halves(at)) {
    const Load all = whole_load(at);
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
  steal_weights(list, at, "steal-experts", at.precision(), false);
  if (at.replicates_tokens())
    return compute_forward(list, at, whole_load(at));
  by_load(
      list, at, [&](const Load& load, Runs runs) { scatter(list, at, load, runs, "dispatch", "gather-tokens"); },
      compute_forward, [&](const Load& load, Runs runs) { collect(list, at, load, runs, "sum-experts", "combine"); });
}

void experts_backward(SegmentList& list, const RankShape& at) {
  steal_weights(list, at, "steal-experts", at.precision(), false);
  by_load(
      list, at, [&](const Load& load, Runs runs) { scatter(list, at, load, runs, "combine", "gather-gradients"); },
      compute_backward,
      [&](const Load& load, Runs runs) { collect(list, at, load, runs, "sum-gradients", "dispatch"); });
  steal_weights(list, at, "return-expert-gradients", at.shape.gradient_precision, true);
}

Segment expert_move(const ModelSpec& model, const MicroBatchShape& shape, const RankLoad& load, double bytes) {
  const RankShape at{model, shape, {.has_experts = true}};
  const double elements = expert_weights(at, Precision::Fp8).value(); // a byte each
  Segment segment{"move-experts", Kind::AllToAll, Dimension::Ep, {}};
  segment.work.bytes = Bytes(static_cast<double>(load.weights_sent) * elements * bytes);
  segment.work.allocated[graph::Memory::Communication] =
      Bytes(static_cast<double>(load.weights_received) * elements * bytes);
  segment.work.freed = segment.work.allocated;
  segment.work.tokens.of_weights = true;
  segment.work.tokens.copy = Bytes(elements * bytes);
  return segment;
}

} // namespace moesim::workloads
