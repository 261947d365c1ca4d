// Where the time of a rank goes: makespan = compute + exposed communication + bubble. Every moment counts once, so the
// parts add up to the makespan.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// The dimensions that communicate. While a rank does not compute, the first of these that is busy is blamed.
inline constexpr std::array<std::string_view, 5> dimensions{"tp", "cp", "ep", "dp", "pp"};

// Seconds; of one rank, or means over several.
struct TimeBudget {
  double makespan = 0;
  double compute = 0;              // the compute stream is busy, optimizer step included
  std::array<double, 5> exposed{}; // by dimension: it communicates, and nothing is computed meanwhile
  double warm_up = 0;              // idle before the first compute task
  double waiting = 0;              // idle in between: for a neighbour, or for a slower rank or stage
  double cool_down = 0;            // idle after the last forward or backward task: gradients, optimizer, end

  [[nodiscard]] double exposed_communication() const;
  [[nodiscard]] double bubble() const { return warm_up + waiting + cool_down; }
};

struct TimeBudgets {
  std::vector<TimeBudget> ranks;
  std::vector<TimeBudget> stages; // means over the ranks of each pipeline stage
  TimeBudget mean;                // over all ranks
};

[[nodiscard]] TimeBudgets time_budgets(const record::RunRecord& run);

} // namespace moesim::analysis
