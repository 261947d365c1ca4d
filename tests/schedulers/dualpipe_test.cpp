#include "schedulers/dualpipe.hpp"

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes_of;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

TEST(DualPipe, RunsForwardsBesideBackwardsOfTheOtherDirection) {
  EXPECT_EQ(
      describe(dualpipe({.stages = 4, .micro_batches = 8, .chunks = 2})),
      "stage 0: F0.0 F1.0 F2.0 F4.1 B4.1 W4.1 F5.1 F3.0&B5.1 F6.1&B0.0 B6.1 F7.1&B1.0 B7.1 B2.0 W2.0 B3.0 W3.0\n"
      "stage 1: F0.0 F4.1 F1.0 F5.1 F2.0 B4.1 F6.1&B0.0 F3.0&B5.1 F7.1&B1.0 B6.1 B2.0 B7.1 B3.0 W7.1 W3.0\n"
      "stage 2: F4.1 F0.0 F5.1 F1.0 F6.1 B0.0 F2.0&B4.1 F7.1&B1.0 F3.0&B5.1 B2.0 B6.1 B3.0 B7.1 W3.0 W7.1\n"
      "stage 3: F4.1 F5.1 F6.1 F0.0 B0.0 W0.0 F1.0 F7.1&B1.0 F2.0&B4.1 B2.0 F3.0&B5.1 B3.0 B6.1 W6.1 B7.1 W7.1\n");
}

// The table of deepseek-ai/DualPipe, with F&B = F + B; its B is the whole backward.
double published(const ScheduleShape& shape, const PassCosts& costs) {
  const double pair = costs.forward + costs.backward();
  return static_cast<double>(shape.micro_batches) * pair +
         (static_cast<double>(shape.stages) / 2 - 1) * (pair + costs.backward() - 3 * costs.backward_weight);
}

TEST(DualPipe, HasThePublishedBubbleAndActivations) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 2, 1.5}, PassCosts{2, 2, 1}})
    for (const ScheduleShape& shape : shapes_of(find_schedule("dualpipe"))) {
      const PassTimeline timeline = timed("dualpipe", with_costs(shape, costs)).timeline;
      EXPECT_NEAR(timeline.makespan, published(shape, costs), 1e-9) << text(shape);
      EXPECT_THAT(timeline.peak_activations, ::testing::Each(shape.stages + 1)) << text(shape);
    }
}

TEST(DualPipe, HasAnotherBubbleWhereTheGradientOfTheInputDoesNotCostAForward) {
  const auto makespan = [](const ScheduleShape& shape, const PassCosts& costs) {
    return timed("dualpipe", with_costs(shape, costs)).timeline.makespan;
  };
  for (const ScheduleShape& shape : shapes_of(find_schedule("dualpipe"))) {
    EXPECT_GE(makespan(shape, {3, 2, 1}), published(shape, {3, 2, 1}) - 1e-9) << text(shape);
    EXPECT_LE(makespan(shape, {2, 3, 1}), published(shape, {2, 3, 1}) + 1e-9) << text(shape);
  }
}

TEST(DualPipe, RefusesOddOrFewMicroBatchesAndOddStages) {
  const auto why = [](std::int64_t stages, std::int64_t micro_batches) {
    return dualpipe_refusal({.stages = stages, .micro_batches = micro_batches, .chunks = 2});
  };
  EXPECT_EQ(why(3, 12), "dualpipe pairs stages from both ends, and 3 is odd; use 4 stages, or dualpipe-v");
  EXPECT_EQ(why(4, 6),
            "dualpipe fills 4 stages from both ends with an even number of micro-batches, at least 8, not 6; "
            "use 8");
  EXPECT_EQ(why(4, 9),
            "dualpipe fills 4 stages from both ends with an even number of micro-batches, at least 8, not 9; "
            "use 10");
  EXPECT_EQ(why(4, 8), "");
}

} // namespace
} // namespace moesim::schedulers
