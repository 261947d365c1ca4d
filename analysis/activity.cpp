#include "analysis/activity.hpp"

#include "simulator/base/check.hpp"

#include <string>

namespace moesim::analysis {
namespace {

constexpr std::array<std::string_view, busy_activity_count + 1> names{"compute", "optimizer", "tp", "cp",
                                                                      "ep",      "dp",        "pp", "idle"};

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
  for (const std::string& phase : tasks.phases)
    backward_.push_back(phase == "backward");
  for (const std::string& stream : tasks.streams) {
    activities_.emplace_back();
    const Activity activity = activity_of(stream);
    for (const std::string& phase : tasks.phases) {
      const bool outside_passes = phase != "forward" && phase != "backward";
      activities_.back().push_back(activity == Activity::Compute && outside_passes ? Activity::Optimizer : activity);
    }
  }
}

} // namespace moesim::analysis
