// Where the time of a rank goes: makespan = compute + exposed communication + bubble. Every moment counts once, so the
// parts add up to the makespan.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "analysis/bubbles.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// The dimensions that communicate. While a rank does not compute, the first of these that is busy is blamed.
inline constexpr std::array<std::string_view, 5> dimensions{"tp", "cp", "ep", "dp", "pp"};

// Seconds; of one rank, or means over several.
struct TimeBudget {
  double makespan = 0;
  double compute = 0;                               // the compute stream is busy, optimizer step included
  std::array<double, 5> exposed{};                  // by dimension: it communicates, and nothing is computed meanwhile
  std::array<double, bubble_cause_count> bubbles{}; // by cause: idle

  [[nodiscard]] double exposed_communication() const;
  [[nodiscard]] double bubble(BubbleCause cause) const { return bubbles[static_cast<std::size_t>(cause)]; }
  [[nodiscard]] double bubble() const;
};

struct TimeBudgets {
  std::vector<TimeBudget> ranks;
  std::vector<TimeBudget> stages; // means over the ranks of each pipeline stage
  TimeBudget mean;                // over all ranks
};

[[nodiscard]] TimeBudgets time_budgets(const record::RunRecord& run);

} // namespace moesim::analysis
