// What every order must hold, whatever its schedule, and the shapes to try it on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schedulers/pass_cycle.hpp"
#include "schedulers/pass_timeline.hpp"
#include "schedulers/pipeline_schedule.hpp"

namespace moesim::testing {

// 1 to 16 stages, and for each of them 1 to 64 micro-batches: the corners (1, less than p, p, 2p - 1, 2p) and an odd
// and an even number beyond.
[[nodiscard]] std::vector<schedulers::ScheduleShape> shapes(std::int64_t chunks);

// Those of shapes() with as many micro-batches as fill the pipeline on the way there and back, 2p - 1.
[[nodiscard]] std::vector<schedulers::ScheduleShape> shapes_with_full_warm_up(std::int64_t chunks);

// Those of shapes() that the schedule does not refuse, with its number of chunks (2 to 4 where it takes any); fewer of
// them where it searches.
[[nodiscard]] std::vector<schedulers::ScheduleShape> shapes_of(const schedulers::PipelineSchedule& schedule);

// The same costs on every stage.
[[nodiscard]] schedulers::ScheduleShape with_costs(schedulers::ScheduleShape shape, schedulers::PassCosts costs);

[[nodiscard]] schedulers::Chunks chunks_of(const schedulers::PipelineSchedule& schedule,
                                           const schedulers::ScheduleShape& shape);

// An order of the named schedule and when its passes run.
struct Timed {
  schedulers::PipelineOrder order;
  schedulers::Chunks chunks;
  schedulers::PassTimeline timeline;
};
[[nodiscard]] Timed timed(std::string_view schedule, const schedulers::ScheduleShape& shape);

// The first pass that is missing, or there too often; empty: each is there once.
[[nodiscard]] std::string not_once(const Timed& timed, const schedulers::ScheduleShape& shape);

// No order takes less: each stage waits for its first micro-batch, does its work, and what its last backward gives
// still has to go back to the first virtual stage.
[[nodiscard]] double lower_bound(const Timed& timed, const schedulers::ScheduleShape& shape);

[[nodiscard]] double most_in_flight(const schedulers::PassTimeline& timeline);

// "4 stages, 8 micro-batches, 2 chunks"
[[nodiscard]] std::string text(const schedulers::ScheduleShape& shape);

} // namespace moesim::testing
