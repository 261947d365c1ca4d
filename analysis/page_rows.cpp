#include "analysis/page_rows.hpp"

#include <algorithm>
#include <set>

namespace moesim::analysis {
namespace {

std::vector<std::uint32_t> tasks_of(const record::TaskTable& tasks, std::span<const std::size_t> rows) {
  std::vector<std::uint32_t> found;
  for (const std::size_t row : rows)
    found.push_back(tasks.task[row]);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// The task that held this one up, unless one that is shown ended at the same time; TaskChains::none: none such.
std::uint32_t cause_outside(const record::RunRecord& run, const TaskChains& chains,
                            std::span<const std::uint32_t> shown_tasks, std::uint32_t task) {
  const std::uint32_t blocker = chains.blocker(task);
  if (blocker == TaskChains::none)
    return blocker;
  const auto before = run.dependencies.of(task);
  const bool is_inside = std::any_of(before.begin(), before.end(), [&](std::uint32_t other) {
    return std::binary_search(shown_tasks.begin(), shown_tasks.end(), other) &&
           chains.end(other) == chains.end(blocker);
  });
  return is_inside ? TaskChains::none : blocker;
}

void add_dependencies(const record::RunRecord& run, PageRows& page) {
  page.dependencies.first.push_back(0);
  for (const std::uint32_t task : page.tasks) {
    std::uint32_t unlisted = 0;
    for (const std::uint32_t before : run.dependencies.of(task)) {
      if (std::binary_search(page.tasks.begin(), page.tasks.end(), before))
        page.dependencies.before.push_back(page.place_of(before));
      else
        ++unlisted;
    }
    page.unlisted.push_back(unlisted);
    page.dependencies.first.push_back(static_cast<std::uint32_t>(page.dependencies.before.size()));
  }
}

} // namespace

std::uint32_t PageRows::place_of(std::uint32_t task) const {
  return static_cast<std::uint32_t>(std::lower_bound(tasks.begin(), tasks.end(), task) - tasks.begin());
}

PageRows page_rows(const record::RunRecord& run, const TaskChains& chains, std::span<const std::uint32_t> ranks,
                   const GanttOptions& options) {
  PageRows page;
  std::set<std::uint32_t> representatives;
  for (const std::uint32_t rank : ranks)
    representatives.insert(run.ranks.representative[rank]);
  page.ranks.assign(representatives.begin(), representatives.end());
  for (const std::uint32_t rank : page.ranks) {
    const record::RowRange range = rows_of(run, rank);
    for (std::size_t row = range.first; row < range.last; ++row)
      if (is_shown(run.tasks.start[row], run.tasks.end[row], options))
        page.rows.push_back(row);
  }
  page.shown = page.rows.size();

  const std::vector<std::uint32_t> shown_tasks = tasks_of(run.tasks, page.rows);
  std::set<std::size_t> outside;
  for (const std::uint32_t task : shown_tasks)
    if (const std::uint32_t cause = cause_outside(run, chains, shown_tasks, task); cause != TaskChains::none)
      outside.insert(chains.rows(cause).front());
  page.rows.insert(page.rows.end(), outside.begin(), outside.end());
  page.tasks = tasks_of(run.tasks, page.rows);
  add_dependencies(run, page);
  return page;
}

} // namespace moesim::analysis
