#include "analysis/gantt_lanes.hpp"

#include "simulator/base/input_error.hpp"

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

constexpr std::array<std::string_view, block_kind_count> block_names{"forward", "backward", "prefill", "decode",
                                                                     "optimizer step"};

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

} // namespace

std::string_view name_of(BlockKind kind) {
  return block_names[static_cast<std::size_t>(kind)];
}

char letter_of(BlockKind kind) {
  return "FBPDO"[static_cast<std::size_t>(kind)];
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
  return blocks;
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
