#include "analysis/gantt_lanes.hpp"

#include "analysis/pixels.hpp"
#include "analysis/time_axis.hpp"
#include "simulator/base/input_error.hpp"
#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <numeric>

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::sample_record;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PassBlocks, RunFromTheFirstComputeTaskOfAPassToItsLast) {
  const record::RunRecord run = record_of({0}, {{0, "compute", "forward", 0, 1, 5},
                                                {0, "tp", "forward", 1, 2, 5},
                                                {0, "compute", "forward", 2, 3, 5},
                                                {0, "pp-send-next", "forward", 3, 4, 5},
                                                {0, "compute", "backward", 4, 6, 5},
                                                {0, "compute", "optimizer", 8, 9, -1}});
  EXPECT_THAT(pass_blocks(run, 0),
              ElementsAre(PassBlock{0, 3, BlockKind::Forward, 5, 0}, PassBlock{4, 6, BlockKind::Backward, 5, 0},
                          PassBlock{8, 9, BlockKind::Optimizer, -1, 0}));
}

TEST(PassBlocks, APassThatAnotherInterruptsHasTwoBlocks) {
  const record::RunRecord run = record_of(
      {0},
      {{0, "compute", "forward", 0, 1, 1}, {0, "compute", "backward", 1, 2, 0}, {0, "compute", "forward", 2, 3, 1}});
  EXPECT_EQ(pass_blocks(run, 0).size(), 3U);
}

TEST(PassBlocks, TheBackwardOfWeightsIsAPassOfItsOwn) {
  const record::RunRecord run =
      record_of({0}, {{0, "compute", "backward", 0, 2, 1}, {0, "compute", "backward-weight", 2, 3, 1}});
  EXPECT_THAT(pass_blocks(run, 0), ElementsAre(PassBlock{0, 2, BlockKind::Backward, 1, 0},
                                               PassBlock{2, 3, BlockKind::BackwardWeight, 1, 0}));
  EXPECT_EQ(stretches(run, 0).size(), 1U); // it is compute, and no optimizer step
}

// DualPipe's F&B: the tasks of a forward and of a backward take turns on the compute stream.
TEST(PassBlocks, ThatRunTogetherOverlap) {
  const record::RunRecord run = record_of({0}, {{0, "compute", "forward", 0, 1, 4}, // before it: alone
                                                {0, "compute", "forward", 1, 2, 5},
                                                {0, "compute", "backward", 2, 4, 1},
                                                {0, "compute", "forward", 4, 5, 5},
                                                {0, "compute", "backward", 5, 7, 1},
                                                {0, "compute", "forward", 7, 8, 6}, // the next such pair
                                                {0, "compute", "backward", 8, 10, 2},
                                                {0, "compute", "forward", 10, 11, 6},
                                                {0, "compute", "backward", 11, 13, 2},
                                                {0, "compute", "backward", 13, 15, 3}});
  EXPECT_THAT(pass_blocks(run, 0),
              ElementsAre(PassBlock{0, 1, BlockKind::Forward, 4, 0}, PassBlock{1, 5, BlockKind::Forward, 5, 0},
                          PassBlock{2, 7, BlockKind::Backward, 1, 0}, PassBlock{7, 11, BlockKind::Forward, 6, 0},
                          PassBlock{8, 13, BlockKind::Backward, 2, 0}, PassBlock{13, 15, BlockKind::Backward, 3, 0}));
}

// Of a split backward beside a forward, what comes in between is part of the backward, what comes after is not.
TEST(PassBlocks, BesideAForwardTheWholeBackwardIsOne) {
  const record::RunRecord run = record_of({0}, {{0, "compute", "forward", 0, 1, 5},
                                                {0, "compute", "backward", 1, 2, 1},
                                                {0, "compute", "backward-weight", 2, 3, 1},
                                                {0, "compute", "forward", 3, 4, 5},
                                                {0, "compute", "backward", 4, 5, 1},
                                                {0, "compute", "backward-weight", 5, 6, 1}});
  EXPECT_THAT(pass_blocks(run, 0),
              ElementsAre(PassBlock{0, 4, BlockKind::Forward, 5, 0}, PassBlock{1, 5, BlockKind::Backward, 1, 0},
                          PassBlock{5, 6, BlockKind::BackwardWeight, 1, 0}));
}

// One forward and one backward in turn are 1F1B, of different micro-batches each time.
TEST(PassBlocks, InTurnAreNotTogether) {
  std::vector<moesim::testing::Row> rows;
  for (int i = 0; i < 8; ++i)
    rows.push_back({0, "compute", i % 2 == 0 ? "forward" : "backward", i * 1.0, i + 1.0, i / 2});
  EXPECT_EQ(pass_blocks(record_of({0}, rows), 0).size(), 8U);
}

// Decode steps of the one micro-batch there is follow each other; where layers start over, so does the block.
TEST(PassBlocks, DecodeStepsOfAMicroBatchAreBlocksOfTheirOwn) {
  record::RunRecord run = record_of({0}, {{0, "compute", "prefill", 0, 1, 0},
                                          {0, "compute", "decode", 1, 2, 0},
                                          {0, "compute", "decode", 2, 3, 0},
                                          {0, "compute", "decode", 4, 5, 0},
                                          {0, "compute", "decode", 5, 6, 0}});
  run.tasks.layer = {0, 0, 1, 0, 1};
  EXPECT_THAT(pass_blocks(run, 0),
              ElementsAre(PassBlock{0, 1, BlockKind::Prefill, 0, 0}, PassBlock{1, 3, BlockKind::Decode, 0, 0},
                          PassBlock{4, 6, BlockKind::Decode, 0, 0}));
  EXPECT_EQ(stretches(run, 0).front().activity, Activity::Compute); // and no optimizer step
}

TEST(PassBlocks, ChunksOfAStageAreDifferentPasses) {
  record::RunRecord run = record_of({0}, {{0, "compute", "forward", 0, 1, 0}, {0, "compute", "forward", 1, 2, 0}});
  run.tasks.chunk[1] = 1;
  EXPECT_EQ(pass_blocks(run, 0).size(), 2U);
}

TEST(Stretches, JoinNeighboursThatDoTheSame) {
  const record::RunRecord run = record_of({0}, {{0, "compute", "forward", 1, 2},
                                                {0, "compute", "forward", 2, 3},
                                                {0, "pp-send-next", "forward", 3, 4},
                                                {0, "pp-recv-next", "backward", 3, 5}});
  EXPECT_THAT(stretches(run, 0), ElementsAre(Stretch{0, 1, Activity::Idle}, Stretch{1, 3, Activity::Compute},
                                             Stretch{3, 5, Activity::Pp}));
}

TEST(ShownRanks, AreTheFirstOfEachStageUnlessRequested) {
  const record::RunRecord run = sample_record({.ranks_per_stage = 4});
  EXPECT_THAT(shown_ranks(run, {}), ElementsAre(0, 4, 8, 12));
  EXPECT_THAT(shown_ranks(run, std::vector<std::uint32_t>{5, 2}), ElementsAre(5, 2));
  EXPECT_THROW((void)shown_ranks(run, std::vector<std::uint32_t>{16}), InputError);
  EXPECT_EQ(coordinates(run.ranks, 13), "pp3 tp1 ep1 dp0");
}

double width_of(const std::vector<Piece>& pieces, std::size_t colour) {
  return std::accumulate(pieces.begin(), pieces.end(), 0.0, [colour](double sum, const Piece& piece) {
    return sum + (piece.colour == colour ? piece.end - piece.start : 0);
  });
}

TEST(Pixels, LeaveWideEnoughPiecesAlone) {
  const std::vector<Piece> pieces{{0, 2, 0, 7}, {2, 3, 1, 8}};
  const std::vector<Piece> fitted = fit_to_pixels(pieces, 2);
  ASSERT_EQ(fitted.size(), 2U);
  EXPECT_EQ(fitted[0].source, 7U);
  EXPECT_EQ(fitted[1].source, 8U);
}

TEST(Pixels, BoundTheNumberOfPiecesAndKeepTheSharesOfColours) {
  std::vector<Piece> pieces;
  double x = 0;
  for (std::size_t i = 0; x < 1000; ++i) { // 20 % of colour 1 in slivers that alone would never show
    const double width = i % 2 == 0 ? 0.08 : 0.02;
    pieces.push_back({x, x + width, i % 2, i});
    x += width;
  }
  const std::vector<Piece> fitted = fit_to_pixels(pieces, 2);
  EXPECT_LE(fitted.size(), 1001U);
  EXPECT_NEAR(width_of(fitted, 1), 200, 2);
  EXPECT_NEAR(width_of(fitted, 0), 800, 2);
  for (std::size_t i = 1; i < fitted.size(); ++i)
    EXPECT_NEAR(fitted[i].start, fitted[i - 1].end, 1e-6);
}

TEST(Pixels, KeepTheNumberOfAWidePieceBehindASliver) {
  const std::vector<Piece> fitted = fit_to_pixels({{0, 0.1, 0, 0}, {0.1, 9, 1, 4}}, 2);
  ASSERT_EQ(fitted.size(), 2U);
  EXPECT_EQ(fitted[1].source, 4U);
  EXPECT_DOUBLE_EQ(fitted[1].start, 1);
}

TEST(Pixels, NothingStaysNothing) {
  EXPECT_THAT(fit_to_pixels({}, 2), IsEmpty());
}

TEST(TimeAxisTest, HasRoundStepsInAUnitThatSuits) {
  const TimeAxis axis = time_axis(0, 0.0384, 10);
  EXPECT_EQ(axis.unit, "ms");
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks)
    labels.push_back(tick.label);
  EXPECT_THAT(labels, ElementsAre("0", "5", "10", "15", "20", "25", "30", "35"));
  EXPECT_NEAR(axis.ticks[1].time, 0.005, 1e-15);
}

TEST(TimeAxisTest, EndsOnTheLastTickThatFits) {
  EXPECT_EQ(time_axis(0, 10, 10).ticks.size(), 11U);
  EXPECT_EQ(time_axis(0, 3e-6, 10).unit, "us");
  EXPECT_EQ(time_axis(0, 0, 10).ticks.size(), 1U);
}

TEST(TimeAxisTest, StartsAtTheFirstRoundTime) {
  const TimeAxis axis = time_axis(0.0113, 0.0152, 5);
  EXPECT_EQ(axis.unit, "ms");
  EXPECT_EQ(axis.ticks.front().label, "12");
  EXPECT_EQ(axis.ticks.back().label, "15");
}

TEST(TimeAxisTest, HasNoSecondsInAnArbitraryUnit) {
  EXPECT_EQ(time_axis(0, 0.5, 10, TimeUnit::Arbitrary).unit, "units");
  EXPECT_EQ(time_axis(0, 0.5, 10, TimeUnit::Arbitrary).ticks[1].label, "0.05");
  EXPECT_EQ(format_time(0.5, TimeUnit::Arbitrary), "0.5");
  EXPECT_EQ(format_time(0.5, TimeUnit::Second), "500 ms");
}

} // namespace
} // namespace moesim::analysis
