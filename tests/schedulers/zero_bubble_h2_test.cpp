#include "schedulers/zero_bubble_h2.hpp"

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

TEST(ZeroBubbleH2, StartsWithTwiceAsManyForwards) {
  EXPECT_EQ(describe(zero_bubble_h2({.stages = 2, .micro_batches = 6})),
            "stage 0: F0 F1 F2 B0 W0 F3 B1 W1 F4 B2 W2 F5 B3 W3 B4 W4 B5 W5\n"
            "stage 1: F0 B0 W0 F1 B1 W1 F2 B2 W2 F3 B3 F4 B4 F5 B5 W3 W4 W5\n");
}

// Qi et al., arXiv 2401.10241, section 2.3.
TEST(ZeroBubbleH2, KeepsEveryStageBusyFromItsFirstPassToItsLast) {
  for (const ScheduleShape& shape : shapes_with_full_warm_up(1))
    EXPECT_EQ(timed("zb-h2", shape).timeline.stage_span, static_cast<double>(3 * shape.micro_batches)) << text(shape);
}

// No order takes less, for the last stage starts after p - 1 forwards.
TEST(ZeroBubbleH2, EndsAsEarlyAsCanBe) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{3, 2, 1}, PassCosts{2, 1, 4}})
    for (const ScheduleShape& shape : shapes_with_full_warm_up(1))
      EXPECT_NEAR(timed("zb-h2", with_costs(shape, costs)).timeline.makespan,
                  static_cast<double>(shape.micro_batches) * (costs.forward + costs.backward()) +
                      static_cast<double>(shape.stages - 1) * costs.forward,
                  1e-9)
          << text(shape);
}

TEST(ZeroBubbleH2, HoldsTwiceAsMuchAs1F1B) {
  for (const ScheduleShape& shape : shapes(1))
    EXPECT_EQ(moesim::testing::most_in_flight(timed("zb-h2", shape).timeline),
              std::min(shape.micro_batches, 2 * shape.stages - 1))
        << text(shape);
}

} // namespace
} // namespace moesim::schedulers
