#include "schedulers/zero_bubble_greedy.hpp"

#include <gmock/gmock.h>

#include "schedulers/zero_bubble_h1.hpp"
#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// With 1F1B's lead and memory for one micro-batch per stage there is nothing else to do.
TEST(ZeroBubbleGreedy, TakesAsLongAsZbH1WithItsLeadAndMemory) {
  for (const ScheduleShape& shape : moesim::testing::shapes(1)) {
    const Chunks chunks{.stages = shape.stages};
    EXPECT_EQ(time_passes(greedy_zero_bubble(shape, shape.stages, {.lead = 1}), chunks, shape).makespan,
              time_passes(zero_bubble_h1(shape), chunks, shape).makespan)
        << moesim::testing::text(shape);
  }
}

TEST(ZeroBubbleGreedy, FillsGapsWithWeights) {
  const ScheduleShape shape{.stages = 2, .micro_batches = 3};
  EXPECT_EQ(describe(greedy_zero_bubble(shape, 2, {})), "stage 0: F0 F1 B0 W0 F2 B1 W1 B2 W2\n"
                                                        "stage 1: F0 B0 F1 B1 W0 F2 B2 W1 W2\n");
}

// At 6 the fourth forward could start, and would delay the backward that the last stage runs from 4 to 7.
TEST(ZeroBubbleGreedy, WaitsForABackwardWhereItShould) {
  const ScheduleShape shape = moesim::testing::with_costs({.stages = 2, .micro_batches = 4}, {2, 3, 1});
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 4, {.lead = 3})), StartsWith("stage 0: F0 F1 F2 F3 B0 "));
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 4, {.lead = 3, .waits_for_backward = true})),
              StartsWith("stage 0: F0 F1 F2 B0 "));
}

// At 5, behind W0, both F2 and B1 could run on stage 0.
TEST(ZeroBubbleGreedy, RunsBackwardsFirstWhereItShould) {
  const ScheduleShape shape{.stages = 2, .micro_batches = 3};
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 2, {})), StartsWith("stage 0: F0 F1 B0 W0 F2 B1 "));
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 2, {.backward_first = true})),
              StartsWith("stage 0: F0 F1 B0 W0 B1 F2 "));
}

// At 6 stage 0 has run four forwards, and stage 1, which takes twice as long, is at its second.
TEST(ZeroBubbleGreedy, SkipsForwardsThatTheNextStageCannotTakeWhereItShould) {
  ScheduleShape shape = moesim::testing::with_costs({.stages = 2, .micro_batches = 5}, {1, 1, 1});
  shape.costs[1] = {2, 2, 2};
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 5, {.lead = 3})), StartsWith("stage 0: F0 F1 F2 F3 B0 F4 W0 "));
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 5, {.lead = 3, .skips_forwards = true})),
              StartsWith("stage 0: F0 F1 F2 F3 B0 W0 F4 "));
}

// At 7 stage 1 could run W0 until 9; B1 comes at 8.
TEST(ZeroBubbleGreedy, FillsSmallGapsWhereItShould) {
  const ScheduleShape shape = moesim::testing::with_costs({.stages = 3, .micro_batches = 2}, {1, 2, 2});
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 3, {})), HasSubstr("stage 1: F0 F1 B0 B1 W0 W1"));
  EXPECT_THAT(describe(greedy_zero_bubble(shape, 3, {.fills_small_gaps = true})),
              HasSubstr("stage 1: F0 F1 B0 W0 B1 W1"));
}

TEST(ZeroBubbleGreedy, IsAnOrderWhateverItPrefers) {
  const ScheduleShape shape = moesim::testing::with_costs({.stages = 4, .micro_batches = 11}, {1, 1.3, 0.8});
  for (unsigned choices = 0; choices < 16; ++choices) {
    moesim::testing::Timed run{{}, {.stages = 4}, {}};
    run.order = greedy_zero_bubble(shape, 5,
                                   {.lead = 1.5,
                                    .backward_first = (choices & 8U) != 0,
                                    .waits_for_backward = (choices & 4U) != 0,
                                    .skips_forwards = (choices & 2U) != 0,
                                    .fills_small_gaps = (choices & 1U) != 0});
    run.timeline = time_passes(run.order, run.chunks, shape);
    EXPECT_EQ(moesim::testing::not_once(run, shape), "") << choices;
    EXPECT_LE(moesim::testing::most_in_flight(run.timeline), 5) << choices;
  }
}

} // namespace
} // namespace moesim::schedulers
