// What held each task of a run up: of the tasks that it waits for, the one that ended last. Followed from task to task,
// these lead back to the start of the run without a gap, because a task starts the moment its blocker ends.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

class TaskChains {
public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // `run` has to outlive this. Linear in its rows and dependencies.
  explicit TaskChains(const record::RunRecord& run);

  [[nodiscard]] std::uint32_t task_count() const { return static_cast<std::uint32_t>(blockers_.size()); }
  // The rows of a task, ascending: several of a collective or transfer.
  [[nodiscard]] std::span<const std::uint32_t> rows(std::uint32_t task) const {
    return std::span(rows_).subspan(first_row_[task], first_row_[task + 1] - first_row_[task]);
  }
  [[nodiscard]] double start(std::uint32_t task) const { return run_->tasks.start[rows(task).front()]; }
  [[nodiscard]] double end(std::uint32_t task) const { return run_->tasks.end[rows(task).front()]; }
  // Of equals, the first; `none` when the task waits for nothing. Following blockers always comes to an end.
  [[nodiscard]] std::uint32_t blocker(std::uint32_t task) const { return blockers_[task]; }
  [[nodiscard]] bool is_on_stage(std::uint32_t task, std::uint32_t stage) const;

private:
  void index_rows(std::uint32_t task_count);
  [[nodiscard]] std::uint32_t last_to_end(std::uint32_t task) const;

  const record::RunRecord* run_;
  std::vector<std::uint32_t> first_row_; // per task, and one at the end: into rows_
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> blockers_;
};

} // namespace moesim::analysis
