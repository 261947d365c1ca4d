// A pipeline schedule by itself as a run, so that what draws runs draws it.
#pragma once

#include <string>

#include "schedulers/pass_timeline.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::run {

// An order of passes, and when they run.
struct TimedSchedule {
  std::string name;
  schedulers::PipelineOrder order;
  schedulers::Chunks chunks;
  schedulers::ScheduleShape shape;
  schedulers::PassTimeline timeline; // time_passes() of the above
};

// One rank per stage, one compute task per pass, and one pipeline transfer per hop where transfers take time. Times are
// in the unit of the costs; memory has one category, activations, in micro-batches rather than bytes.
[[nodiscard]] record::RunRecord schedule_record(const TimedSchedule& schedule);

} // namespace moesim::run
