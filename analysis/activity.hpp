// What a rank is seen doing at each moment: computing, else waiting for communication that nothing hides, else nothing.
// Everything that says where time goes (time budget, pictures) is built on this one partition of a rank's time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// In order of precedence: of several at once, the first counts.
enum class Activity : std::uint8_t { Compute, Optimizer, Tp, Cp, Ep, Dp, Pp, Idle };
inline constexpr std::size_t busy_activity_count = 7;

// "compute", "optimizer", "tp", ..., "idle".
[[nodiscard]] std::string_view name_of(Activity activity);

// What the rows of a table mean, looked up by their stream and phase.
class RowMeanings {
public:
  explicit RowMeanings(const record::TaskTable& tasks);

  [[nodiscard]] Activity activity(std::size_t row) const {
    return activities_[tasks_->stream[row]][tasks_->phase[row]];
  }
  [[nodiscard]] bool is_compute(std::size_t row) const { return activity(row) <= Activity::Optimizer; }
  // Part of a pass of a micro-batch (forward, backward, backward-weight, prefill, decode), on the compute stream.
  [[nodiscard]] bool is_pass(std::size_t row) const { return activity(row) == Activity::Compute; }
  // The same on any stream: what the pass sends and receives, too.
  [[nodiscard]] bool is_of_pass(std::size_t row) const { return phase_is_pass_[tasks_->phase[row]]; }
  // Done by the ranks of a stage for or among each other: compute, tp, cp, ep.
  [[nodiscard]] bool is_of_stage(std::size_t row) const { return activity(row) <= Activity::Ep; }

private:
  const record::TaskTable* tasks_;
  std::vector<bool> phase_is_pass_;
  std::vector<std::vector<Activity>> activities_; // [stream][phase]
};

// Whether each of the rows is data-parallel traffic that nothing on its rank waited for. Such traffic runs beside the
// passes: while the rank idles for its neighbours, it is not what the rank idles for. It counts as exposed only where a
// task of a pass (compute, tp, cp, ep) starts the moment it ends, or another transfer does that counts, or no compute
// task follows.
[[nodiscard]] std::vector<bool> hidden_traffic(const record::TaskTable& tasks, record::RowRange rows,
                                               const RowMeanings& meanings);

// Calls visit(begin, end, activity) over [0, makespan] in time order, without gaps or overlaps. Neighbouring intervals
// may have the same activity. Linear in the rows, which are sorted by start.
template <class Visit>
void visit_activities(const record::RunRecord& run, record::RowRange rows, const RowMeanings& meanings, Visit visit) {
  const std::vector<bool> hidden = hidden_traffic(run.tasks, rows, meanings);
  std::array<double, busy_activity_count> busy_until{};
  double now = 0;
  const auto advance = [&](double to) {
    while (now < to) {
      const auto busy = std::find_if(busy_until.begin(), busy_until.end(), [now](double until) { return until > now; });
      const double until = busy == busy_until.end() ? to : std::min(*busy, to);
      visit(now, until, static_cast<Activity>(busy - busy_until.begin()));
      now = until;
    }
  };
  for (std::size_t row = rows.first; row < rows.last; ++row) {
    if (hidden[row - rows.first])
      continue;
    advance(std::min(run.tasks.start[row], run.figures.makespan));
    double& until = busy_until[static_cast<std::size_t>(meanings.activity(row))];
    until = std::max(until, run.tasks.end[row]);
  }
  advance(run.figures.makespan);
}

} // namespace moesim::analysis
