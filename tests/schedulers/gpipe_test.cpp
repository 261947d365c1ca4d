#include "schedulers/gpipe.hpp"

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes;
using moesim::testing::text;

TEST(Gpipe, RunsAllForwardsThenAllBackwards) {
  EXPECT_EQ(describe(gpipe({.stages = 2, .micro_batches = 3})), "stage 0: F0 F1 F2 B0 B1 B2\n"
                                                                "stage 1: F0 F1 F2 B0 B1 B2\n");
}

TEST(Gpipe, TakesWhatThePaperSaysAndHoldsEverything) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 3, 1}, PassCosts{3, 1, 0.5}})
    for (const ScheduleShape& shape : shapes(1)) {
      const auto m = static_cast<double>(shape.micro_batches);
      const auto p = static_cast<double>(shape.stages);
      const PassTimeline timeline = moesim::testing::timed("gpipe", moesim::testing::with_costs(shape, costs)).timeline;
      EXPECT_NEAR(timeline.makespan, (m + p - 1) * (costs.forward + costs.backward()), 1e-9) << text(shape);
      EXPECT_THAT(timeline.peak_activations, ::testing::Each(m)) << text(shape);
    }
}

TEST(Gpipe, RunsWithBatchedTransfers) {
  for (const ScheduleShape& shape : shapes(1))
    EXPECT_THAT(cycle(gpipe(shape), {.stages = shape.stages}, Posting::Rendezvous), ::testing::IsEmpty())
        << text(shape);
}

} // namespace
} // namespace moesim::schedulers
