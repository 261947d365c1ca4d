#include "workloads/block_loads.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>
#include <utility>

namespace moesim::workloads {
namespace {

std::int64_t copies_of(std::int64_t parts) {
  return (parts + parts_per_copy - 1) / parts_per_copy;
}

std::int64_t sum_of(const Parts& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
}

// Parts of each expert of a rank that is expected to meet any of the block's tokens, what the others would get being
// spread over them: a token misses an expert with 1 - p, and all miss it with that to the power of their number.
Parts without_idle(Parts slots, double tokens) {
  std::ranges::sort(slots, std::greater<>());
  double expected = 0;
  for (const std::int64_t parts : slots) {
    const double chance = static_cast<double>(parts) / parts_per_copy / tokens;
    expected += 1 - std::pow(1 - std::min(1.0, chance), tokens);
  }
  const auto active =
      std::min<std::size_t>(slots.size(), static_cast<std::size_t>(std::max(1LL, std::llround(expected))));
  const std::int64_t all = sum_of(slots);
  slots.resize(active);
  const std::int64_t kept = sum_of(slots);
  if (kept == 0)
    return slots;
  for (std::int64_t& parts : slots)
    parts = std::llround(static_cast<double>(parts) * static_cast<double>(all) / static_cast<double>(kept));
  return slots;
}

// Of experts whose tokens were stolen by a rank that does not hold them.
std::vector<SentWeights> stolen_weights(const GroupLoad& group) {
  std::vector<SentWeights> weights;
  for (const schedulers::StolenTokens& theft : group.stolen)
    if (theft.sends_weights)
      weights.push_back({group.rows[static_cast<std::size_t>(theft.from_slot)].rank, theft.to});
  return weights;
}

RankLoad load_of(const GroupLoad& group, const BlockShape& shape, const std::vector<SentWeights>& weights,
                 std::int64_t at_ep, std::int64_t at_etp) {
  const auto source = static_cast<std::size_t>(at_ep * shape.etp + at_etp);
  std::int64_t routed = 0;
  std::int64_t received = 0;
  Parts slots;
  for (const ExpertRows& rows : group.rows) {
    routed += rows.from[source];
    if (rows.rank != at_ep)
      continue;
    slots.push_back(sum_of(rows.from));
    for (std::int64_t from = 0; from < shape.ep; ++from)
      received += rows.from[static_cast<std::size_t>(from * shape.etp + at_etp)];
  }
  if (shape.leaves_idle)
    slots = without_idle(std::move(slots), shape.tokens * static_cast<double>(shape.ep * shape.etp));
  RankLoad load;
  load.routed = copies_of(routed);
  load.received = copies_of(received);
  load.may_steal = shape.may_steal;
  for (const std::int64_t parts : slots)
    if (parts > 0)
      load.rows.push_back(copies_of(parts));
  std::ranges::sort(load.rows, std::greater<>());
  load.weights_sent = std::ranges::count(weights, at_ep, &SentWeights::from);
  load.weights_received = std::ranges::count(weights, at_ep, &SentWeights::to);
  return load;
}

} // namespace

bool BlockLoads::ByContent::operator()(const Pointer& a, const Pointer& b) const {
  if (a == nullptr || b == nullptr)
    return a == nullptr && b != nullptr;
  return std::tie(a->slots, a->copies, a->tokens) < std::tie(b->slots, b->copies, b->tokens);
}

std::uint32_t BlockLoads::add_load(const BatchLoad& load) {
  const auto [entry, is_new] = loads_.try_emplace(load, static_cast<std::uint32_t>(result_.loads.size()));
  if (is_new)
    result_.loads.push_back(load);
  return entry->second;
}

// DeepEP has to know about each expert, since it sends a token once for several of them.
std::uint32_t BlockLoads::add_matrix(const GroupLoad& group, const BlockShape& shape, std::int64_t at_etp) {
  const bool by_expert = shape.dispatcher == Dispatcher::DeepEp;
  std::vector<std::vector<const ExpertRows*>> of_ranks(static_cast<std::size_t>(shape.ep));
  for (const ExpertRows& rows : group.rows)
    of_ranks[static_cast<std::size_t>(rows.rank)].push_back(&rows);
  graph::TokenMatrix matrix;
  matrix.members = of_ranks.size();
  for (const auto& of_rank : of_ranks)
    matrix.slots = by_expert ? std::max(matrix.slots, of_rank.size()) : 1;
  matrix.tokens.assign(matrix.members, shape.tokens);
  for (std::int64_t source = 0; source < shape.ep; ++source)
    for (const auto& of_rank : of_ranks) {
      Parts parts(matrix.slots, 0);
      for (std::size_t slot = 0; slot < of_rank.size(); ++slot)
        parts[by_expert ? slot : 0] += of_rank[slot]->from[static_cast<std::size_t>(source * shape.etp + at_etp)];
      for (const std::int64_t part : parts)
        matrix.copies.push_back(static_cast<double>(part) / parts_per_copy);
    }
  const bool are_alike = std::ranges::all_of(matrix.copies, [&](double copies) { return copies == matrix.copies[0]; });
  const bool is_sent = shape.ep > 1 && shape.dispatcher != Dispatcher::AllGather;
  ByContent::Pointer pointer;
  if (is_sent && !are_alike)
    pointer = std::make_shared<const graph::TokenMatrix>(std::move(matrix));
  return add_matrix(std::move(pointer));
}

std::uint32_t BlockLoads::add_matrix(std::shared_ptr<const graph::TokenMatrix> matrix) {
  const auto [entry, is_new] = matrices_.try_emplace(matrix, static_cast<std::uint32_t>(result_.table.matrices.size()));
  if (is_new)
    result_.table.matrices.push_back(std::move(matrix));
  return entry->second;
}

std::uint32_t BlockLoads::add_weights(const std::vector<SentWeights>& weights, const BlockShape& shape) {
  graph::TokenMatrix matrix;
  matrix.members = static_cast<std::size_t>(shape.ep);
  matrix.copies.assign(matrix.members * matrix.members, 0);
  matrix.tokens.assign(matrix.members, 0);
  for (const SentWeights& sent : weights)
    ++matrix.copies[static_cast<std::size_t>(sent.from * shape.ep + sent.to)];
  return add_matrix(std::make_shared<const graph::TokenMatrix>(std::move(matrix)));
}

BlockEntries BlockLoads::add(const std::vector<SentWeights>& weights, const BlockShape& shape) {
  BlockEntries entries;
  const std::uint32_t matrix = add_weights(weights, shape);
  for (std::int64_t at_ep = 0; at_ep < shape.ep; ++at_ep) {
    RankLoad load;
    load.weights_sent = std::ranges::count(weights, at_ep, &SentWeights::from);
    load.weights_received = std::ranges::count(weights, at_ep, &SentWeights::to);
    for (std::int64_t at_etp = 0; at_etp < shape.etp; ++at_etp) {
      entries.loads.push_back(add_load({shape.batch, load}));
      entries.matrices.push_back(matrix);
      entries.weights.push_back(matrix);
    }
  }
  return entries;
}

BlockEntries BlockLoads::add(const GroupLoad& group, const BlockShape& shape) {
  BlockEntries entries;
  const std::vector<SentWeights> weights = stolen_weights(group);
  const std::uint32_t sent = shape.may_steal ? add_weights(weights, shape) : 0;
  std::vector<std::uint32_t> matrices;
  for (std::int64_t at_etp = 0; at_etp < shape.etp; ++at_etp)
    matrices.push_back(add_matrix(group, shape, at_etp));
  for (std::int64_t at_ep = 0; at_ep < shape.ep; ++at_ep)
    for (std::int64_t at_etp = 0; at_etp < shape.etp; ++at_etp) {
      entries.loads.push_back(add_load({shape.batch, load_of(group, shape, weights, at_ep, at_etp)}));
      entries.matrices.push_back(matrices[static_cast<std::size_t>(at_etp)]);
      if (shape.may_steal)
        entries.weights.push_back(sent);
    }
  return entries;
}

} // namespace moesim::workloads
