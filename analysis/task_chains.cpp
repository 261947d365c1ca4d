#include "analysis/task_chains.hpp"

#include <algorithm>
#include <numeric>

namespace moesim::analysis {

TaskChains::TaskChains(const record::RunRecord& run) : run_(&run) {
  const std::vector<std::uint32_t>& first = run.dependencies.first;
  const std::uint32_t task_count = first.empty() ? 0 : static_cast<std::uint32_t>(first.size() - 1);
  index_rows(task_count);
  blockers_.assign(task_count, none);
  for (std::uint32_t task = 0; task < task_count; ++task)
    if (!rows(task).empty())
      blockers_[task] = last_to_end(task);
}

bool TaskChains::is_on_stage(std::uint32_t task, std::uint32_t stage) const {
  return std::ranges::any_of(rows(task),
                             [&](std::uint32_t row) { return run_->ranks.pp[run_->tasks.rank[row]] == stage; });
}

void TaskChains::index_rows(std::uint32_t task_count) {
  const std::vector<std::uint32_t>& task_of = run_->tasks.task;
  first_row_.assign(task_count + 1, 0);
  for (const std::uint32_t task : task_of)
    ++first_row_[task + 1];
  std::partial_sum(first_row_.begin(), first_row_.end(), first_row_.begin());
  rows_.resize(task_of.size());
  std::vector<std::uint32_t> next(first_row_.begin(), first_row_.end() - 1);
  for (std::uint32_t row = 0; row < task_of.size(); ++row)
    rows_[next[task_of[row]]++] = row;
}

// A file that somebody else made may have tasks that wait for each other. Among those that count here, time goes back
// with every step, or the number does.
std::uint32_t TaskChains::last_to_end(std::uint32_t task) const {
  std::uint32_t last = none;
  for (const std::uint32_t before : run_->dependencies.of(task)) {
    if (rows(before).empty() || end(before) > start(task) || (start(before) == start(task) && before >= task))
      continue;
    if (last == none || end(before) > end(last))
      last = before;
  }
  return last;
}

} // namespace moesim::analysis
