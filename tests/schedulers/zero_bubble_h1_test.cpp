#include "schedulers/zero_bubble_h1.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

TEST(ZeroBubbleH1, DelaysWeightsByTheStage) {
  EXPECT_EQ(describe(zero_bubble_h1({.stages = 3, .micro_batches = 4})),
            "stage 0: F0 F1 F2 B0 W0 F3 B1 W1 B2 W2 B3 W3\n"
            "stage 1: F0 F1 B0 F2 B1 W0 F3 B2 W1 B3 W2 W3\n"
            "stage 2: F0 B0 F1 B1 F2 B2 W0 F3 B3 W1 W2 W3\n");
}

// Qi et al., arXiv 2401.10241, section 2.2; for m <= p, appendix H.
TEST(ZeroBubbleH1, TakesWhatThePaperSays) {
  for (const auto& [forward, input, weight] : {PassCosts{1, 1, 1}, PassCosts{2, 3, 1}, PassCosts{3, 1, 1}})
    for (const ScheduleShape& shape : shapes(1)) {
      const auto m = static_cast<double>(shape.micro_batches);
      const auto p = static_cast<double>(shape.stages);
      const double expected = m >= p ? m * (forward + input + weight) + (p - 1) * (forward + input - weight)
                                     : (m + p - 1) * (forward + input) + weight;
      EXPECT_NEAR(timed("zb-h1", with_costs(shape, {forward, input, weight})).timeline.makespan, expected, 1e-9)
          << text(shape);
    }
}

TEST(ZeroBubbleH1, HoldsOneMicroBatchForEachStage) {
  for (const ScheduleShape& shape : shapes(1))
    EXPECT_THAT(timed("zb-h1", shape).timeline.peak_activations,
                ::testing::Each(std::min(shape.micro_batches, shape.stages)))
        << text(shape);
}

TEST(ZeroBubbleH1, RunsWithBatchedTransfers) {
  for (const ScheduleShape& shape : shapes(1))
    EXPECT_THAT(cycle(zero_bubble_h1(shape), {.stages = shape.stages}, Posting::Rendezvous), ::testing::IsEmpty())
        << text(shape);
}

} // namespace
} // namespace moesim::schedulers
