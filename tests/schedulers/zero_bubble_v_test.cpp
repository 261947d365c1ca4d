#include "schedulers/zero_bubble_v.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes;
using moesim::testing::shapes_with_full_warm_up;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

TEST(ZeroBubbleV, AlternatesItsTwoChunks) {
  EXPECT_EQ(describe(zero_bubble_v({.stages = 2, .micro_batches = 4, .chunks = 2})),
            "stage 0: F0.0 F1.0 F2.0 F0.1 B0.1 W0.1 F1.1 B1.1 W1.1 F3.0 B0.0 W0.0 F2.1 B2.1 W2.1 B1.0 W1.0 F3.1 B3.1 "
            "W3.1 B2.0 W2.0 B3.0 W3.0\n"
            "stage 1: F0.0 F0.1 F1.0 F1.1 B0.1 W0.1 F2.0 B0.0 W0.0 F2.1 B1.1 W1.1 F3.0 B1.0 W1.0 F3.1 B2.1 W2.1 B2.0 "
            "B3.1 B3.0 W2.0 W3.1 W3.0\n");
}

// Qi et al., arXiv 2401.10241, section 6.
TEST(ZeroBubbleV, KeepsEveryStageBusyFromItsFirstPassToItsLast) {
  for (const ScheduleShape& shape : shapes_with_full_warm_up(2))
    EXPECT_EQ(timed("zb-v", shape).timeline.stage_span, static_cast<double>(3 * shape.micro_batches)) << text(shape);
}

// No order takes less, for the last stage starts after p - 1 forwards of chunks.
TEST(ZeroBubbleV, EndsAsEarlyAsCanBe) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 2, 1.5}, PassCosts{2, 2, 1}})
    for (const ScheduleShape& shape : shapes_with_full_warm_up(2))
      EXPECT_NEAR(timed("zb-v", with_costs(shape, costs)).timeline.makespan,
                  static_cast<double>(shape.micro_batches) * (costs.forward + costs.backward()) +
                      static_cast<double>(shape.stages - 1) * costs.forward / 2,
                  1e-9)
          << text(shape);
}

// Up to p micro-batches only the way of the last one counts: every pass of the gradients of the input follows at once.
TEST(ZeroBubbleV, TakesWhatZeroBubbleDoesBelowAMicroBatchPerStage) {
  for (const ScheduleShape& shape : shapes(2))
    if (shape.micro_batches <= shape.stages) {
      EXPECT_NEAR(timed("zb-v", shape).timeline.makespan,
                  static_cast<double>(2 * (shape.micro_batches + shape.stages - 1) + 1), 1e-9)
          << text(shape);
    }
}

TEST(ZeroBubbleV, HoldsOneMicroBatchForEachStage) {
  for (const ScheduleShape& shape : shapes(2))
    EXPECT_EQ(moesim::testing::most_in_flight(timed("zb-v", shape).timeline),
              std::min(shape.micro_batches, shape.stages))
        << text(shape);
}

} // namespace
} // namespace moesim::schedulers
