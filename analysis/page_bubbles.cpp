#include "analysis/page_bubbles.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace moesim::analysis {
namespace {

// The row with which the rank is busy again. Of rows that start together, data-parallel traffic runs beside the passes
// and comes last.
std::optional<std::size_t> row_that_ends(const record::RunRecord& run, std::uint32_t rank, const Stretch& idle) {
  const record::RowRange rows = rows_of(run, rank);
  const auto& start = run.tasks.start;
  const auto begin = start.begin() + static_cast<std::ptrdiff_t>(rows.first);
  const auto end = start.begin() + static_cast<std::ptrdiff_t>(rows.last);
  const auto [first, last] = std::equal_range(begin, end, idle.end);
  if (first == last)
    return std::nullopt;
  for (auto at = first; at != last; ++at) {
    const auto row = static_cast<std::size_t>(at - start.begin());
    if (run.tasks.streams[run.tasks.stream[row]] != "dp")
      return row;
  }
  return static_cast<std::size_t>(first - start.begin());
}

// "F3" for a task of the forward of micro-batch 3, else its name.
std::string short_name(const record::TaskTable& tasks, std::size_t row) {
  const std::string& phase = tasks.phases[tasks.phase[row]];
  const bool is_pass = phase == "forward" || phase == "backward" || phase == "prefill" || phase == "decode";
  if (is_pass && tasks.micro_batch[row] >= 0)
    return fmt::format("{}{}",
                       "FBPD"[phase == "forward"    ? 0
                              : phase == "backward" ? 1
                              : phase == "prefill"  ? 2
                                                    : 3],
                       tasks.micro_batch[row]);
  return tasks.names[tasks.name[row]];
}

// Says what the task that ends the idle time waited for.
std::string label(const record::RunRecord& run, const Waits& waits, std::uint32_t rank,
                  std::optional<std::size_t> row) {
  if (!row)
    return "nothing left to do";
  const std::optional<std::uint32_t> cause = waits.last_ended_before(run.tasks.task[*row]);
  const std::optional<std::size_t> cause_row = cause ? waits.row_of(*cause) : std::nullopt;
  if (!cause_row)
    return "waits";
  const std::uint32_t other = run.tasks.rank[*cause_row];
  const std::string what = short_name(run.tasks, *cause_row);
  if (run.ranks.pp[other] != run.ranks.pp[rank])
    return fmt::format("waits for {} on stage {}", what, run.ranks.pp[other]);
  if (other != run.ranks.representative[rank])
    return fmt::format("waits for {} on rank {}", what, other);
  return fmt::format("waits for {}", what);
}

} // namespace

std::vector<PageBubble> page_bubbles(const record::RunRecord& run, const Waits& waits, std::uint32_t rank) {
  std::vector<PageBubble> bubbles;
  for (const Stretch& stretch : stretches(run, rank)) {
    if (stretch.activity != Activity::Idle)
      continue;
    const std::optional<std::size_t> row = row_that_ends(run, rank, stretch);
    bubbles.push_back({stretch.start, stretch.end, label(run, waits, rank, row), row});
  }
  return bubbles;
}

} // namespace moesim::analysis
