#include "schedulers/chunk_placement.hpp"

#include <gmock/gmock.h>

namespace moesim::schedulers {
namespace {

using ::testing::ElementsAre;

// Where a micro-batch goes that enters at a place, as stage * 10 + chunk.
std::vector<std::int64_t> way(const Chunks& chunks, ChunkPlace at) {
  std::vector<std::int64_t> stops;
  for (std::optional<ChunkPlace> stop = at; stop; stop = chunks.after(*stop)) {
    if (const std::optional<ChunkPlace> next = chunks.after(*stop)) {
      EXPECT_EQ(chunks.before(*next), stop);
      EXPECT_EQ(chunks.virtual_stage(*next), chunks.virtual_stage(*stop) + 1);
    }
    stops.push_back(stop->stage * 10 + stop->chunk);
  }
  EXPECT_EQ(std::ssize(stops), chunks.virtual_stages());
  return stops;
}

TEST(ChunkPlacement, TakesMicroBatchesThroughTheModel) {
  EXPECT_THAT(way({ChunkPlacement::Loop, 3, 2}, {0, 0}), ElementsAre(0, 10, 20, 1, 11, 21));
  EXPECT_THAT(way({ChunkPlacement::V, 3, 2}, {0, 0}), ElementsAre(0, 10, 20, 21, 11, 1));
  EXPECT_THAT(way({ChunkPlacement::Bidirectional, 3, 2}, {0, 0}), ElementsAre(0, 10, 20));
  EXPECT_THAT(way({ChunkPlacement::Bidirectional, 3, 2}, {2, 1}), ElementsAre(21, 11, 1));
}

TEST(ChunkPlacement, GivesHalfOfTheMicroBatchesToEachOfTwoCopies) {
  const Chunks copies{ChunkPlacement::Bidirectional, 2, 2};
  EXPECT_TRUE(copies.runs(0, 1, 4));
  EXPECT_FALSE(copies.runs(0, 2, 4));
  EXPECT_FALSE(copies.runs(1, 1, 4));
  EXPECT_TRUE(copies.runs(1, 2, 4));
  const Chunks turn{ChunkPlacement::V, 2, 2};
  EXPECT_TRUE(turn.runs(0, 2, 4));
  EXPECT_TRUE(turn.runs(1, 1, 4));
}

TEST(ChunkPlacement, SharesTheWorkOfAStageAmongItsChunks) {
  EXPECT_EQ((Chunks{ChunkPlacement::Loop, 2, 4}).share(), 0.25);
  EXPECT_EQ((Chunks{ChunkPlacement::V, 2, 2}).share(), 0.5);
  EXPECT_EQ((Chunks{ChunkPlacement::Bidirectional, 2, 2}).share(), 1);
}

} // namespace
} // namespace moesim::schedulers
