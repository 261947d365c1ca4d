#include "schedulers/one_forward_one_backward.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(OneForwardOneBackward, AlternatesAfterTheWarmUp) {
  EXPECT_EQ(describe(one_forward_one_backward({.stages = 3, .micro_batches = 4})),
            "stage 0: F0 F1 F2 B0 F3 B1 B2 B3\n"
            "stage 1: F0 F1 B0 F2 B1 F3 B2 B3\n"
            "stage 2: F0 B0 F1 B1 F2 B2 F3 B3\n");
}

TEST(OneForwardOneBackward, HandlesFewerMicroBatchesThanStages) {
  EXPECT_EQ(describe(one_forward_one_backward({.stages = 4, .micro_batches = 2})), "stage 0: F0 F1 B0 B1\n"
                                                                                   "stage 1: F0 F1 B0 B1\n"
                                                                                   "stage 2: F0 F1 B0 B1\n"
                                                                                   "stage 3: F0 B0 F1 B1\n");
}

// Narayanan et al., arXiv 2104.04473, section 2.2.1.
TEST(OneForwardOneBackward, TakesWhatThePaperSays) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 3, 1}, PassCosts{3, 1, 0.5}})
    for (const ScheduleShape& shape : shapes(1)) {
      const auto m = static_cast<double>(shape.micro_batches);
      const auto p = static_cast<double>(shape.stages);
      const PassTimeline timeline = timed("1f1b", with_costs(shape, costs)).timeline;
      EXPECT_NEAR(timeline.makespan, (m + p - 1) * (costs.forward + costs.backward()), 1e-9) << text(shape);
      EXPECT_NEAR(timeline.bubble_fraction, (p - 1) / (m + p - 1), 1e-9) << text(shape);
      for (std::int64_t stage = 0; stage < shape.stages; ++stage)
        EXPECT_EQ(timeline.peak_activations[static_cast<std::size_t>(stage)],
                  std::min(shape.micro_batches, shape.stages - stage));
    }
}

// The first micro-batch takes c for each hop there and back; of each p behind it, all but one wait for 2c more.
TEST(OneForwardOneBackward, WaitsForTransfers) {
  constexpr double c = 0.25;
  for (ScheduleShape shape : shapes(1)) {
    if (shape.stages < 2)
      continue;
    shape.transfer = c;
    const std::int64_t p = shape.stages;
    const std::int64_t m = shape.micro_batches;
    const std::int64_t crossings = p - 2 + m - (m - 1 + p - 1) / p; // p - 2 + m - ceil((m - 1) / p)
    EXPECT_NEAR(timed("1f1b", shape).timeline.makespan,
                static_cast<double>(m + p - 1) * 3 + 2 * c * static_cast<double>(crossings), 1e-9)
        << text(shape);
  }
}

TEST(OneForwardOneBackward, FusesPairsAfterALongerWarmUp) {
  EXPECT_EQ(describe(one_forward_one_backward({.stages = 3, .micro_batches = 6, .fuses_passes = true})),
            "stage 0: F0 F1 F2 F3 F4 F5&B0 B1 B2 B3 B4 B5\n"
            "stage 1: F0 F1 F2 F3&B0 F4&B1 F5&B2 B3 B4 B5\n"
            "stage 2: F0 F1&B0 F2&B1 F3&B2 F4&B3 F5&B4 B5\n");
}

// F1&B0 of stage 0 would wait for B0 of stage 1, which runs with F1, which stage 0 has yet to send.
TEST(OneForwardOneBackward, CouldNotFusePairsAfterTheUsualWarmUp) {
  PipelineOrder order = one_forward_one_backward({.stages = 2, .micro_batches = 3, .fuses_passes = true});
  order[0] = one_forward_one_backward({.stages = 2, .micro_batches = 3})[0];
  EXPECT_EQ(describe(order), "stage 0: F0 F1 B0 F2 B1 B2\n"
                             "stage 1: F0 F1&B0 F2&B1 B2\n");
  EXPECT_THAT(cycle(order, {.stages = 2}, Posting::Eager), IsEmpty());
  order[0][1].with_next = true;
  EXPECT_THAT(cycle(order, {.stages = 2}, Posting::Eager), Not(IsEmpty()));
}

TEST(OneForwardOneBackward, TakesNoLongerWhereItFusesPairsButHoldsTwiceAsMuch) {
  for (ScheduleShape shape : shapes(1)) {
    shape.fuses_passes = true;
    const PassTimeline timeline = timed("1f1b", with_costs(shape, {2, 1, 0.5})).timeline;
    EXPECT_NEAR(timeline.makespan, static_cast<double>(shape.micro_batches + shape.stages - 1) * 3.5, 1e-9)
        << text(shape);
    for (std::int64_t stage = 0; stage < shape.stages; ++stage)
      EXPECT_EQ(timeline.peak_activations[static_cast<std::size_t>(stage)],
                std::min(shape.micro_batches, 2 * (shape.stages - stage)))
          << text(shape);
  }
}

TEST(OneForwardOneBackward, RunsWithBatchedTransfers) {
  for (ScheduleShape shape : shapes(1))
    for (const bool fuses : {false, true}) {
      shape.fuses_passes = fuses;
      EXPECT_THAT(cycle(one_forward_one_backward(shape), {.stages = shape.stages}, Posting::Rendezvous), IsEmpty())
          << text(shape);
    }
}

} // namespace
} // namespace moesim::schedulers
