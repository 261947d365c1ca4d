// What of a record goes into the interactive page: the rows of the ranks and the time that are shown, the tasks that
// they belong to, and what those waited for.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/gantt_options.hpp"
#include "analysis/task_chains.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

struct PageRows {
  std::vector<std::uint32_t> ranks; // whose rows are shown: representatives, ascending
  // Rows of the record. The first `shown` are those of `ranks`, in the order of the record. The others are one row each
  // of the tasks that a shown one waited for last and that are not shown themselves.
  std::vector<std::size_t> rows;
  std::size_t shown = 0;
  std::vector<std::uint32_t> tasks;    // in the page, ascending; the page counts tasks by their place in this list
  record::Dependencies dependencies;   // of the page's tasks on each other
  std::vector<std::uint32_t> unlisted; // per task of the page: what it waits for besides, outside the page

  // The place of a task of the graph in `tasks`, where it is for sure.
  [[nodiscard]] std::uint32_t place_of(std::uint32_t task) const;
};

// `ranks` are those of the lanes; options say which time.
[[nodiscard]] PageRows page_rows(const record::RunRecord& run, const TaskChains& chains,
                                 std::span<const std::uint32_t> ranks, const GanttOptions& options);

// Whether any of [start, end] is shown.
[[nodiscard]] inline bool is_shown(double start, double end, const GanttOptions& options) {
  return end >= options.from && start <= options.to;
}

} // namespace moesim::analysis
