#include "workloads/arrivals.hpp"

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using graph::Stream;
using schedulers::ChunkPlacement;
using schedulers::PassKind;
using schedulers::PipelinePass;

// Stage 1 uses the second micro-batch first: both have arrived by then, in the order in which they were sent.
TEST(Arrivals, ComeInTheOrderInWhichTheyAreSent) {
  const schedulers::Chunks chunks{ChunkPlacement::Loop, 2, 1};
  const schedulers::PipelineOrder order{{{PassKind::Forward, 0}, {PassKind::Forward, 1}},
                                        {{PassKind::Forward, 1}, {PassKind::Forward, 0}}};
  Arrivals arrivals(order, chunks, 1);
  const Arrival first{{0, 0}, 0, true};
  const Arrival second{{0, 0}, 1, true};
  EXPECT_THAT(arrivals.take_until(second), testing::ElementsAre(first, second));
  EXPECT_THAT(arrivals.take_until(first), testing::IsEmpty());
  const auto crossing = first_crossing(order, chunks);
  ASSERT_TRUE(crossing.has_value());
  EXPECT_EQ(crossing->receiver, 1);
  EXPECT_EQ(crossing->sender, 0);
  EXPECT_EQ(crossing->used_first.micro_batch, 1);
  EXPECT_EQ(crossing->sent_first.micro_batch, 0);
}

// With two stages the next one is the previous one, too: the streams tell what goes around.
TEST(Arrivals, GoAroundOnTheStreamOfTheirDirection) {
  const schedulers::Chunks loop{ChunkPlacement::Loop, 2, 2};
  EXPECT_EQ(sending_stream(loop, {0, 0}, {1, 0}), Stream::PpSendNext);
  EXPECT_EQ(sending_stream(loop, {1, 0}, {0, 1}), Stream::PpSendNext); // forward, to the next chunk
  EXPECT_EQ(sending_stream(loop, {0, 1}, {1, 0}), Stream::PpSendPrev); // and back
  EXPECT_EQ(sending_stream(loop, {1, 0}, {0, 0}), Stream::PpSendPrev);
  const schedulers::Chunks v{ChunkPlacement::V, 2, 2};
  EXPECT_EQ(sending_stream(v, {1, 1}, {0, 1}), Stream::PpSendPrev);
  EXPECT_EQ(destination(v, {1, 0}, PassKind::Forward), (schedulers::ChunkPlace{1, 1})); // turns where it is
}

TEST(Arrivals, OfNothingButWhatPassesOfOtherStagesGive) {
  const schedulers::Chunks chunks{ChunkPlacement::Loop, 4, 1};
  EXPECT_FALSE(arrival_for(chunks, {0, 0}, {PassKind::Forward, 0}).has_value());
  EXPECT_FALSE(arrival_for(chunks, {3, 0}, {PassKind::Backward, 0}).has_value());
  EXPECT_FALSE(arrival_for(chunks, {2, 0}, {PassKind::BackwardWeight, 0}).has_value());
  EXPECT_EQ(arrival_for(chunks, {2, 0}, {PassKind::BackwardInput, 5}), (Arrival{{3, 0}, 5, false}));
}

} // namespace
} // namespace moesim::workloads
