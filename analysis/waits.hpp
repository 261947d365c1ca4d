// What each task waited for: of the tasks that it depends on, the one that ended last let it start.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

class Waits {
public:
  explicit Waits(const record::RunRecord& run);

  [[nodiscard]] std::size_t tasks() const { return first_row_.size(); }
  // The first of the task's rows; none when no rank of the record takes part in it.
  [[nodiscard]] std::optional<std::size_t> row_of(std::uint32_t task) const;
  // s; 0 when the task has no rows.
  [[nodiscard]] double end_of(std::uint32_t task) const { return end_[task]; }
  // Of those that ended last the first; none when the task waits for nothing.
  [[nodiscard]] std::optional<std::uint32_t> last_ended_before(std::uint32_t task) const;

private:
  const record::Dependencies* dependencies_;
  std::vector<std::size_t> first_row_;
  std::vector<double> end_;
};

} // namespace moesim::analysis
