#include "schedulers/pipeline_schedule.hpp"

#include <algorithm>
#include <iterator>

#include "schedulers/gpipe.hpp"
#include "schedulers/one_forward_one_backward.hpp"
#include "simulator/base/check.hpp"

namespace moesim::schedulers {

const std::vector<PipelineSchedule>& schedules() {
  static const std::vector<PipelineSchedule> all{
      {"1f1b", "one forward, one backward; bubble (p-1)/(m+p-1); arXiv 2006.09503", one_forward_one_backward},
      {"gpipe", "all forwards, then all backwards; bubble (p-1)/(m+p-1); arXiv 1811.06965", gpipe},
  };
  return all;
}

std::vector<std::string_view> schedule_names() {
  std::vector<std::string_view> names;
  std::ranges::transform(schedules(), std::back_inserter(names), &PipelineSchedule::name);
  return names;
}

const PipelineSchedule& find_schedule(std::string_view name) {
  const auto found = std::ranges::find(schedules(), name, &PipelineSchedule::name);
  MOESIM_CHECK(found != schedules().end(), "the reader accepts only known schedules");
  return *found;
}

std::string describe(const PipelineOrder& order) {
  std::string text;
  for (std::size_t stage = 0; stage < order.size(); ++stage) {
    text += "stage " + std::to_string(stage) + ":";
    for (const PipelinePass& pass : order[stage])
      text += (pass.pass == Pass::Forward ? " F" : " B") + std::to_string(pass.micro_batch);
    text += '\n';
  }
  return text;
}

} // namespace moesim::schedulers
