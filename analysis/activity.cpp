#include "analysis/activity.hpp"

#include "simulator/base/check.hpp"

#include <string>

namespace moesim::analysis {
namespace {

constexpr std::array<std::string_view, busy_activity_count + 1> names{"compute", "optimizer", "tp", "cp",
                                                                      "ep",      "dp",        "pp", "idle"};

constexpr std::array<std::string_view, 5> pass_phases{"forward", "backward", "backward-weight", "prefill", "decode"};

// "pp-send-next" belongs to "pp".
Activity activity_of(std::string_view stream) {
  const auto found = std::find(names.begin(), names.end() - 1, stream.substr(0, stream.find('-')));
  MOESIM_CHECK(found != names.end() - 1, "unknown stream " + std::string(stream));
  return static_cast<Activity>(found - names.begin());
}

} // namespace

std::string_view name_of(Activity activity) {
  return names[static_cast<std::size_t>(activity)];
}

RowMeanings::RowMeanings(const record::TaskTable& tasks) : tasks_(&tasks) {
  for (const std::string& stream : tasks.streams) {
    activities_.emplace_back();
    const Activity activity = activity_of(stream);
    for (const std::string& phase : tasks.phases) {
      const bool is_pass = std::find(pass_phases.begin(), pass_phases.end(), phase) != pass_phases.end();
      activities_.back().push_back(activity == Activity::Compute && !is_pass ? Activity::Optimizer : activity);
    }
  }
}

std::vector<bool> hidden_traffic(const record::TaskTable& tasks, record::RowRange rows, const RowMeanings& meanings) {
  std::vector<bool> hidden(rows.last - rows.first, false);
  // Backwards, so that what comes next is known. A stream runs its tasks in order, so one transfer has to be
  // remembered.
  std::vector<double> compute_starts; // descending
  double exposed_start = -1;          // of the next transfer that counts
  for (std::size_t row = rows.last; row-- > rows.first;) {
    if (meanings.is_compute(row))
      compute_starts.push_back(tasks.start[row]);
    if (meanings.activity(row) != Activity::Dp)
      continue;
    const double end = tasks.end[row];
    // Compute tasks that start during the transfer come later in the table, and earlier in time than its end.
    const auto next = std::lower_bound(compute_starts.rbegin(), compute_starts.rend(), end);
    const bool is_waited_for = next == compute_starts.rend() || *next == end || exposed_start == end;
    hidden[row - rows.first] = !is_waited_for;
    exposed_start = is_waited_for ? tasks.start[row] : -1;
  }
  return hidden;
}

} // namespace moesim::analysis
