#include "schedulers/dualpipe_v.hpp"

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes_of;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

TEST(DualPipeV, IsHalfOfDualPipe) {
  EXPECT_EQ(describe(dualpipe_v({.stages = 2, .micro_batches = 4, .chunks = 2})),
            "stage 0: F0.0 F1.0 F2.0 F0.1 B0.1 W0.1 F1.1 F3.0&B1.1 F2.1&B0.0 B2.1 F3.1&B1.0 B3.1 B2.0 W2.0 B3.0 W3.0\n"
            "stage 1: F0.0 F0.1 F1.0 F1.1 F2.0 B0.1 F2.1&B0.0 F3.0&B1.1 F3.1&B1.0 B2.1 B2.0 B3.1 B3.0 W3.1 W3.0\n");
}

// The table of deepseek-ai/DualPipe, with F&B = F + B; its PP is 2p, and its passes are of one of the two chunks.
TEST(DualPipeV, HasThePublishedBubbleAndActivations) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 2, 1.5}, PassCosts{2, 2, 1}})
    for (const ScheduleShape& shape : shapes_of(find_schedule("dualpipe-v"))) {
      const auto m = static_cast<double>(shape.micro_batches);
      const auto p = static_cast<double>(shape.stages);
      const double pair = costs.forward + costs.backward();
      const PassTimeline timeline = timed("dualpipe-v", with_costs(shape, costs)).timeline;
      EXPECT_NEAR(timeline.makespan, m * pair + (p - 1) * (pair + costs.backward() - 3 * costs.backward_weight) / 2,
                  1e-9)
          << text(shape);
      EXPECT_THAT(timeline.peak_activations, ::testing::Each((2 * p + 1) / 2)) << text(shape);
    }
}

TEST(DualPipeV, RefusesFewMicroBatches) {
  EXPECT_EQ(dualpipe_v_refusal({.stages = 3, .micro_batches = 5, .chunks = 2}),
            "dualpipe-v fills 3 stages in both directions with at least 6 micro-batches, not 5; use 6");
  EXPECT_EQ(dualpipe_v_refusal({.stages = 3, .micro_batches = 6, .chunks = 2}), "");
}

} // namespace
} // namespace moesim::schedulers
