#include "schedulers/pass_timeline.hpp"

#include <gmock/gmock.h>

#include "schedulers/custom_order.hpp"
#include "simulator/base/check.hpp"

namespace moesim::schedulers {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

std::vector<double> ends(const PassTimeline& timeline, std::size_t stage) {
  std::vector<double> all;
  for (const PassTime& time : timeline.passes[stage])
    all.push_back(time.end);
  return all;
}

TEST(PassTimeline, StartsPassesWhenWhatTheyNeedHasArrived) {
  ScheduleShape shape{.stages = 2, .micro_batches = 1};
  shape.costs = {{1, 2, 4}, {8, 16, 32}};
  shape.transfer = 0.5;
  const PassTimeline timeline = time_passes(parse_order("F0 B0 W0\nF0 B0 W0").order, {.stages = 2}, shape);
  // 1 + 0.5 + 8 + 16 + 0.5 + 2 + 4; the weights of stage 1 run beside
  EXPECT_THAT(ends(timeline, 0), ElementsAre(1, 28, 32));
  EXPECT_THAT(ends(timeline, 1), ElementsAre(9.5, 25.5, 57.5));
  EXPECT_EQ(timeline.makespan, 57.5);
  EXPECT_EQ(timeline.stage_span, 56);
  EXPECT_THAT(timeline.bubble_fraction, DoubleEq(1 - 63.0 / (2 * 57.5)));
}

TEST(PassTimeline, EndsPassesThatRunTogetherTogether) {
  const ScheduleShape shape{.stages = 1, .micro_batches = 2};
  const PassTimeline timeline = time_passes(parse_order("F0 F1&B0 B1").order, {}, shape);
  EXPECT_THAT(ends(timeline, 0), ElementsAre(1, 4, 4, 6));
  EXPECT_EQ(timeline.passes[0][2].start, 1);
}

// No transfer where the model turns, and half of the costs for each of two chunks.
TEST(PassTimeline, TakesChunksThroughTheTurn) {
  ScheduleShape shape{.stages = 2, .micro_batches = 1, .chunks = 2};
  shape.transfer = 0.25;
  const PassTimeline timeline =
      time_passes(parse_order("F0.0 F0.1 B0.1 B0.0\nF0.0 F0.1 B0.1 B0.0").order, {ChunkPlacement::V, 2, 2}, shape);
  EXPECT_THAT(ends(timeline, 0), ElementsAre(0.5, 2.5, 3.5, 7));
  EXPECT_THAT(ends(timeline, 1), ElementsAre(1.25, 1.75, 4.75, 5.75));
}

TEST(PassTimeline, HoldsActivationsUntilTheLastBackwardPass) {
  const auto peak = [](std::string_view order, const Chunks& chunks, std::int64_t micro_batches) {
    return time_passes(parse_order(order).order, chunks, {.micro_batches = micro_batches, .chunks = chunks.chunks})
        .peak_activations;
  };
  EXPECT_THAT(peak("F0 B0 F1 B1", {}, 2), ElementsAre(1));
  EXPECT_THAT(peak("F0 B0 F1 W0 B1 W1", {}, 2), ElementsAre(2));
  EXPECT_THAT(peak("F0 F1&B0 B1", {}, 2), ElementsAre(2));
  EXPECT_THAT(peak("F0 B0 F1 B1 W1 F2 B2", {}, 3), ElementsAre(1)); // split and whole ones
  EXPECT_THAT(peak("F0.0 F0.1 B0.1 B0.0", {ChunkPlacement::V, 1, 2}, 1), ElementsAre(1));
}

TEST(PassTimeline, CannotTimeACircle) {
  EXPECT_THROW(static_cast<void>(time_passes(parse_order("B0 F0").order, {}, {})), InternalError);
}

} // namespace
} // namespace moesim::schedulers
