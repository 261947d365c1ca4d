#include "schedulers/zero_bubble_auto.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

double makespan(std::string_view schedule, const ScheduleShape& shape) {
  return timed(schedule, shape).timeline.makespan;
}

// 1F1B whose backwards are split and not delayed.
double split_1f1b_makespan(const ScheduleShape& shape) {
  PipelineOrder order = find_schedule("1f1b").order(shape);
  for (std::vector<PipelinePass>& passes : order)
    for (std::size_t at = 0; at < passes.size(); ++at)
      if (passes[at].kind == PassKind::Backward) {
        passes[at].kind = PassKind::BackwardInput;
        passes.insert(passes.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                      {PassKind::BackwardWeight, passes[at].micro_batch, 0});
      }
  return time_passes(order, {.stages = shape.stages}, shape).makespan;
}

// Costs and transfers that the handcrafted orders were not made for, the last stage's with an output layer.
std::vector<ScheduleShape> difficult_shapes() {
  std::vector<ScheduleShape> all;
  for (ScheduleShape shape : shapes(1)) {
    if (shape.micro_batches > 32 || shape.stages % 3 != 2)
      continue;
    shape = with_costs(shape, {1, 1.2, 0.7});
    shape.costs.back() = {1.3, 1.5, 0.8};
    shape.transfer = 0.15;
    all.push_back(shape);
  }
  return all;
}

TEST(ZeroBubbleAuto, IsNeverWorseThanWhatFitsInTheSameMemory) {
  for (ScheduleShape shape : difficult_shapes()) {
    EXPECT_LE(makespan("zb-auto", shape), std::min(makespan("zb-h1", shape), split_1f1b_makespan(shape)))
        << text(shape);
    shape.max_in_flight = 2 * shape.stages - 1;
    EXPECT_LE(makespan("zb-auto", shape), makespan("zb-h2", shape)) << text(shape);
  }
}

// With 12 in flight ZB-H2 does not fit, and ZB-H1 leaves memory unused.
TEST(ZeroBubbleAuto, UsesMemoryThatZbH1Leaves) {
  ScheduleShape shape = with_costs({.stages = 8, .micro_batches = 32}, {1, 1, 0.5});
  shape.transfer = 0.1;
  shape.max_in_flight = 12;
  const double work = 32 * 2.5;
  EXPECT_LT(makespan("zb-auto", shape) - work, 0.8 * (makespan("zb-h1", shape) - work));
}

TEST(ZeroBubbleAuto, KeepsToTheMemory) {
  for (ScheduleShape shape : difficult_shapes())
    for (const std::int64_t limit : {std::int64_t{1}, shape.stages / 2 + 1, shape.stages + 2}) {
      shape.max_in_flight = limit;
      EXPECT_LE(moesim::testing::most_in_flight(timed("zb-auto", shape).timeline), static_cast<double>(limit))
          << text(shape);
    }
}

TEST(ZeroBubbleAuto, ReachesTheLowerBoundWithEqualCostsAndTwiceTheMemory) {
  for (ScheduleShape shape : shapes(1)) {
    if (shape.micro_batches < 2 * shape.stages - 1 || shape.micro_batches == 64)
      continue;
    shape.max_in_flight = 2 * shape.stages - 1;
    const moesim::testing::Timed run = timed("zb-auto", shape);
    EXPECT_EQ(run.timeline.makespan, moesim::testing::lower_bound(run, shape)) << text(shape);
  }
}

TEST(ZeroBubbleAuto, FindsTheSameOrderAgain) {
  for (const ScheduleShape& shape : difficult_shapes())
    if (shape.stages == 5) {
      EXPECT_EQ(zero_bubble_auto(shape), zero_bubble_auto(shape));
    }
}

} // namespace
} // namespace moesim::schedulers
