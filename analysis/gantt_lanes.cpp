#include "analysis/gantt_lanes.hpp"

#include "simulator/base/input_error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

// Of passes, their phases in the table of tasks.
constexpr std::array<std::string_view, block_kind_count> block_names{"forward", "backward", "backward-weight",
                                                                     "prefill", "decode",   "optimizer step"};

PassBlock block_of(const record::TaskTable& tasks, std::size_t row, const RowMeanings& meanings) {
  PassBlock block{tasks.start[row], tasks.end[row], BlockKind::Optimizer, tasks.micro_batch[row], tasks.chunk[row]};
  if (meanings.is_pass(row))
    block.kind = static_cast<BlockKind>(
        std::find(block_names.begin(), block_names.end(), tasks.phases[tasks.phase[row]]) - block_names.begin());
  return block;
}

bool same_pass(const PassBlock& a, const PassBlock& b) {
  return a.kind == b.kind && a.micro_batch == b.micro_batch && a.chunk == b.chunk;
}

bool is_backward(const PassBlock& block) {
  return block.kind == BlockKind::Backward || block.kind == BlockKind::BackwardWeight;
}

// Of what runs together with a forward, both parts of a split backward are one.
bool same_side(const PassBlock& a, const PassBlock& b) {
  return same_pass(a, b) || (is_backward(a) && is_backward(b) && a.micro_batch == b.micro_batch && a.chunk == b.chunk);
}

// How many pieces, from `first` on, a forward and a backward of another micro-batch or chunk take turns in: each has at
// least two. 0: those at `first` do not. What follows of a split backward, for its weights, is no part of it.
std::size_t pieces_in_turn(std::span<const PassBlock> pieces) {
  if (pieces.size() < 4)
    return 0;
  const bool forward_first = pieces[0].kind == BlockKind::Forward && is_backward(pieces[1]);
  if (!forward_first && !(is_backward(pieces[0]) && pieces[1].kind == BlockKind::Forward))
    return 0;
  std::size_t turns = 0;
  std::size_t last = 0;
  bool forward_was_last = !forward_first;
  for (std::size_t at = 0; at < pieces.size(); ++at) {
    const bool is_forward = pieces[at].kind == BlockKind::Forward;
    if (!same_side(pieces[at], is_forward == forward_first ? pieces[0] : pieces[1]))
      break;
    turns += is_forward != forward_was_last ? 1 : 0;
    forward_was_last = is_forward;
    if (pieces[at].kind != BlockKind::BackwardWeight)
      last = at + 1;
  }
  return turns >= 4 ? last : 0;
}

// A forward and a backward that run together come in pieces; makes two blocks of them.
std::vector<PassBlock> joined(std::span<const PassBlock> pieces) {
  std::vector<PassBlock> blocks;
  while (!pieces.empty()) {
    const std::size_t in_turn = pieces_in_turn(pieces);
    const std::size_t blocks_before = blocks.size();
    for (const PassBlock& piece : pieces.first(std::max<std::size_t>(in_turn, 1))) {
      const auto same = std::find_if(blocks.begin() + static_cast<std::ptrdiff_t>(blocks_before), blocks.end(),
                                     [&](const PassBlock& block) { return same_side(block, piece); });
      if (same == blocks.end())
        blocks.push_back(piece);
      else
        same->end = std::max(same->end, piece.end);
    }
    pieces = pieces.subspan(std::max<std::size_t>(in_turn, 1));
  }
  return blocks;
}

} // namespace

std::string_view name_of(BlockKind kind) {
  return block_names[static_cast<std::size_t>(kind)];
}

char letter_of(BlockKind kind) {
  return "FBWPDO"[static_cast<std::size_t>(kind)];
}

std::vector<PassBlock> pass_blocks(const record::RunRecord& run, std::uint32_t rank) {
  const RowMeanings meanings(run.tasks);
  const record::RowRange rows = rows_of(run, rank);
  std::vector<PassBlock> blocks;
  std::int16_t reached = -1; // layer of the block at hand
  for (std::size_t row = rows.first; row < rows.last; ++row) {
    if (!meanings.is_compute(row))
      continue;
    const PassBlock block = block_of(run.tasks, row, meanings);
    // A decode step runs through the layers upwards; at a lower one than before, the next token's has begun.
    const std::int16_t layer = run.tasks.layer[row];
    const bool starts_over = block.kind == BlockKind::Decode && layer >= 0 && layer < reached;
    if (!blocks.empty() && same_pass(blocks.back(), block) && !starts_over) {
      blocks.back().end = std::max(blocks.back().end, block.end);
      reached = std::max(reached, layer);
    } else {
      blocks.push_back(block);
      reached = layer;
    }
  }
  return joined(blocks);
}

std::vector<Stretch> stretches(const record::RunRecord& run, std::uint32_t rank) {
  const RowMeanings meanings(run.tasks);
  std::vector<Stretch> result;
  visit_activities(run, rows_of(run, rank), meanings, [&](double begin, double end, Activity activity) {
    if (!result.empty() && result.back().activity == activity)
      result.back().end = end;
    else
      result.push_back({begin, end, activity});
  });
  return result;
}

std::vector<std::uint32_t> shown_ranks(const record::RunRecord& run, std::span<const std::uint32_t> requested) {
  for (const std::uint32_t rank : requested)
    if (rank >= run.ranks.size())
      throw InputError({run.figures.name}, "ranks",
                       fmt::format("the job has no rank {}; it has ranks 0 to {}", rank, run.ranks.size() - 1));
  if (!requested.empty())
    return {requested.begin(), requested.end()};
  std::vector<std::uint32_t> first;
  for (std::uint32_t rank = 0; rank < run.ranks.size(); ++rank) {
    const std::uint32_t stage = run.ranks.pp[rank];
    if (stage >= first.size())
      first.resize(stage + 1, rank);
    first[stage] = std::min(first[stage], rank);
  }
  return first;
}

std::string coordinates(const record::RankTable& ranks, std::uint32_t rank) {
  std::string text = fmt::format("pp{} tp{}", ranks.pp[rank], ranks.tp[rank]);
  if (*std::max_element(ranks.cp.begin(), ranks.cp.end()) > 0)
    text += fmt::format(" cp{}", ranks.cp[rank]);
  return text + fmt::format(" ep{} dp{}", ranks.ep[rank], ranks.dp[rank]);
}

} // namespace moesim::analysis
