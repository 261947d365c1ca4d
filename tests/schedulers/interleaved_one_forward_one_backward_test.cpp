#include "schedulers/interleaved_one_forward_one_backward.hpp"

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using moesim::testing::shapes_of;
using moesim::testing::text;
using moesim::testing::timed;
using moesim::testing::with_costs;

const std::vector<ScheduleShape>& all_shapes() {
  static const std::vector<ScheduleShape> all = shapes_of(find_schedule("interleaved-1f1b"));
  return all;
}

TEST(InterleavedOneForwardOneBackward, TakesGroupsThroughChunkAfterChunk) {
  EXPECT_EQ(describe(interleaved_one_forward_one_backward({.stages = 2, .micro_batches = 4, .chunks = 2})),
            "stage 0: F0.0 F1.0 F0.1 F1.1 F2.0 B0.1 F3.0 B1.1 F2.1 B0.0 F3.1 B1.0 B2.1 B3.1 B2.0 B3.0\n"
            "stage 1: F0.0 F1.0 F0.1 B0.1 F1.1 B1.1 F2.0 B0.0 F3.0 B1.0 F2.1 B2.1 F3.1 B3.1 B2.0 B3.0\n");
}

TEST(InterleavedOneForwardOneBackward, MakesLargerGroupsOfWhatIsLeft) {
  // 3 + 2 micro-batches, where two stages need groups of 2
  EXPECT_EQ(describe(interleaved_one_forward_one_backward({.stages = 2, .micro_batches = 5, .chunks = 2})),
            "stage 0: F0.0 F1.0 F2.0 F0.1 F1.1 F2.1 B0.1 F3.0 B1.1 F4.0 B2.1 F3.1 B0.0 F4.1 B1.0 B2.0 B3.1 B4.1 B3.0 "
            "B4.0\n"
            "stage 1: F0.0 F1.0 F2.0 F0.1 B0.1 F1.1 B1.1 F2.1 B2.1 F3.0 B0.0 F4.0 B1.0 F3.1 B2.0 F4.1 B3.1 B4.1 B3.0 "
            "B4.0\n");
}

TEST(InterleavedOneForwardOneBackward, HasOneGroupBelowAMicroBatchPerStage) {
  EXPECT_EQ(describe(interleaved_one_forward_one_backward({.stages = 3, .micro_batches = 1, .chunks = 2})),
            "stage 0: F0.0 F0.1 B0.1 B0.0\n"
            "stage 1: F0.0 F0.1 B0.1 B0.0\n"
            "stage 2: F0.0 F0.1 B0.1 B0.0\n");
}

// Narayanan et al., arXiv 2104.04473, section 2.2.2.
TEST(InterleavedOneForwardOneBackward, TakesWhatThePaperSaysInGroupsOfTheStages) {
  for (const PassCosts& costs : {PassCosts{1, 1, 1}, PassCosts{2, 3, 1}, PassCosts{3, 1, 0.5}})
    for (ScheduleShape shape : all_shapes()) {
      if (shape.micro_batches % shape.stages != 0)
        continue;
      shape = with_costs(shape, costs);
      const auto m = static_cast<double>(shape.micro_batches);
      const auto p = static_cast<double>(shape.stages);
      const auto v = static_cast<double>(shape.chunks);
      for (const bool fuses : {false, true}) {
        shape.fuses_passes = fuses;
        const PassTimeline timeline = timed("interleaved-1f1b", shape).timeline;
        EXPECT_NEAR(timeline.makespan, (m + (p - 1) / v) * (costs.forward + costs.backward()), 1e-9) << text(shape);
        EXPECT_NEAR(timeline.bubble_fraction, (p - 1) / (v * m + p - 1), 1e-9) << text(shape);
      }
    }
}

// The warm-up of the first stage and the forward behind it: in chunks, 2 (p - 1) + (v - 1) g + 1, with groups of g.
TEST(InterleavedOneForwardOneBackward, HoldsItsWarmUpAndOneForwardMore) {
  for (ScheduleShape shape : all_shapes())
    for (const bool fuses : {false, true}) {
      shape.fuses_passes = fuses;
      const std::int64_t groups = std::max<std::int64_t>(shape.micro_batches / shape.stages, 1);
      const std::int64_t largest = (shape.micro_batches + groups - 1) / groups;
      const std::int64_t chunks = std::min(2 * (shape.stages - 1) + (shape.chunks - 1) * largest + (fuses ? 2 : 1),
                                           shape.micro_batches * shape.chunks);
      EXPECT_NEAR(moesim::testing::most_in_flight(timed("interleaved-1f1b", shape).timeline),
                  static_cast<double>(chunks) / static_cast<double>(shape.chunks), 1e-9)
          << text(shape);
    }
}

// Megatron posts the transfers of a forward and the backward behind it together, which is what fused pairs do here.
// Posted for each pass apart, the first forward of a group would wait for a backward behind it.
TEST(InterleavedOneForwardOneBackward, RunsWithBatchedTransfersOfPairs) {
  for (ScheduleShape shape : all_shapes()) {
    shape.fuses_passes = true;
    if (shape.micro_batches % shape.stages != 0)
      continue;
    const moesim::testing::Timed run = timed("interleaved-1f1b", shape);
    EXPECT_THAT(cycle(run.order, run.chunks, Posting::Rendezvous), ::testing::IsEmpty()) << text(shape);
  }
}

} // namespace
} // namespace moesim::schedulers
