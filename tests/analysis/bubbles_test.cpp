#include "analysis/bubbles.hpp"

#include "tests/analysis/record_builder.hpp"
#include "tests/record/sample_record.hpp"

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using moesim::testing::Row;
using moesim::testing::row_at;
using moesim::testing::same_task;
using moesim::testing::sample_record;
using moesim::testing::wait;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Bubble> bubbles_of(const record::RunRecord& run, std::uint32_t rank) {
  return BubbleFinder(run).bubbles(std::array{rank}).front();
}

// "1-4 waiting for stage 1's backward of micro-batch 0", one for each bubble.
std::vector<std::string> texts_of(const record::RunRecord& run, std::uint32_t rank) {
  const BubbleFinder finder(run);
  std::vector<std::string> texts;
  for (const Bubble& bubble : bubbles_of(run, rank)) {
    std::ostringstream text;
    text << bubble.start << "-" << bubble.end << " " << finder.label(rank, bubble);
    texts.push_back(text.str());
  }
  return texts;
}

Row pass(std::uint32_t rank, const std::string& phase, double start, double end, std::int32_t micro_batch = 0) {
  return {.rank = rank, .phase = phase, .start = start, .end = end, .micro_batch = micro_batch};
}

// Each task waits for those that end when it starts.
void chain(record::RunRecord& run) {
  for (std::uint32_t row = 0; row < run.tasks.size(); ++row)
    for (std::uint32_t before = 0; before < run.tasks.size(); ++before)
      if (run.tasks.end[before] == run.tasks.start[row])
        wait(run, row, {before});
}

TEST(Bubbles, PipelinesOfEqualStagesWaitForTheirTurn) {
  record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 1),
                                             pass(1, "forward", 1, 2),
                                             pass(1, "backward", 2, 4),
                                             pass(0, "backward", 4, 6),
                                             {1, "compute", "optimizer", 4, 5, -1},
                                             {0, "compute", "optimizer", 6, 7, -1}});
  chain(run);
  EXPECT_THAT(texts_of(run, 0), ElementsAre("1-4 waiting for stage 1's backward of micro-batch 0"));
  EXPECT_THAT(texts_of(run, 1), ElementsAre("0-1 warm-up", "5-6 cool-down", "6-7 optimizer tail"));
}

// Stage 1 takes twice as long. If it did not, stage 0 would wait for 1 s before its first backward and 1 s before its
// last, as 1F1B does, and in between not at all.
TEST(Bubbles, WhatASlowerStageCostsIsWhatWouldNotHaveBeenWithoutIt) {
  record::RunRecord run =
      record_of({0, 1}, {pass(0, "forward", 0, 1, 0), pass(0, "forward", 1, 2, 1), pass(0, "backward", 5, 6, 0),
                         pass(0, "forward", 6, 7, 2), pass(0, "backward", 9, 10, 1), pass(0, "backward", 13, 14, 2),
                         pass(1, "forward", 1, 3, 0), pass(1, "backward", 3, 5, 0), pass(1, "forward", 5, 7, 1),
                         pass(1, "backward", 7, 9, 1), pass(1, "forward", 9, 11, 2), pass(1, "backward", 11, 13, 2)});
  wait(run, row_at(run, 1, 1), {row_at(run, 0, 0)});
  for (const double start : {3.0, 5.0, 7.0, 9.0, 11.0})
    wait(run, row_at(run, 1, start), {row_at(run, 1, start - 2)});
  for (const double start : {5.0, 9.0, 13.0})
    wait(run, row_at(run, 0, start), {row_at(run, 1, start - 2)});
  EXPECT_THAT(texts_of(run, 0), ElementsAre("2-3 waiting for stage 1's backward of micro-batch 0",
                                            "3-5 waiting for slower stage 1's backward of micro-batch 0",
                                            "7-9 waiting for slower stage 1's backward of micro-batch 1",
                                            "10-11 waiting for stage 1's backward of micro-batch 2",
                                            "11-13 waiting for slower stage 1's backward of micro-batch 2"));
  EXPECT_THAT(texts_of(run, 1), ElementsAre("0-1 warm-up", "13-14 cool-down"));
}

// Stage 0 takes four times as long. That the first micro-batch comes 3 s later for it is warm-up, and the second comes
// 6 s later; with no stage slower, stage 1 would have waited for 2 s of traffic all the same.
TEST(Bubbles, WhatTheWarmUpHasWaitedForIsNotBlamedAgain) {
  record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 4, 0),
                                             pass(0, "forward", 4, 8, 1),
                                             {0, "dp", "parameters", 8, 10, -1},
                                             pass(1, "forward", 4, 5, 0),
                                             pass(1, "forward", 10, 11, 1)});
  wait(run, row_at(run, 0, 4), {row_at(run, 0, 0)});
  wait(run, row_at(run, 0, 8), {row_at(run, 0, 4)});
  wait(run, row_at(run, 1, 4), {row_at(run, 0, 0)});
  wait(run, row_at(run, 1, 10), {row_at(run, 0, 8)});
  EXPECT_THAT(texts_of(run, 1), ElementsAre("0-4 warm-up", "5-7 waiting for stage 0's attention",
                                            "7-10 waiting for slower stage 0's forward of micro-batch 1"));
}

// A chain counts from where it leaves the stage: what came before has been waited for.
TEST(Bubbles, WhatTheStageItselfWasLateForIsNotBlamedAgain) {
  record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 4, 0), pass(0, "forward", 5, 7, 1),
                                             pass(1, "forward", 4, 5, 0), pass(1, "forward", 7, 8, 1)});
  wait(run, row_at(run, 1, 4), {row_at(run, 0, 0)});
  wait(run, row_at(run, 0, 5), {row_at(run, 1, 4)});
  wait(run, row_at(run, 1, 7), {row_at(run, 0, 5)});
  // Stage 0 takes 3 s a micro-batch on average, three times as long as stage 1, so 2/3 of its 2 s were too much.
  const std::vector<Bubble> bubbles = bubbles_of(run, 1);
  ASSERT_EQ(bubbles.size(), 3U);
  EXPECT_EQ(bubbles[0].cause, BubbleCause::WarmUp);
  EXPECT_EQ(bubbles[1].cause, BubbleCause::Neighbour);
  EXPECT_DOUBLE_EQ(bubbles[1].end - bubbles[1].start, 2.0 / 3);
  EXPECT_EQ(bubbles[2].cause, BubbleCause::SlowerStage);
}

TEST(Bubbles, RanksThatComeLateToACollectiveHoldUpTheOthers) {
  record::RunRecord run = record_of({0, 0}, {pass(0, "forward", 0, 1),
                                             pass(1, "forward", 0, 3),
                                             {0, "ep", "forward", 3, 4, 0, "experts"},
                                             {1, "ep", "forward", 3, 4, 0, "experts"},
                                             pass(0, "backward", 4, 5),
                                             pass(1, "backward", 4, 7),
                                             {0, "dp", "gradients", 7, 8, -1, "grad-reduce"},
                                             {1, "dp", "gradients", 7, 8, -1, "grad-reduce"}});
  same_task(run, {row_at(run, 0, 3), row_at(run, 1, 3)});
  same_task(run, {row_at(run, 0, 7), row_at(run, 1, 7)});
  wait(run, row_at(run, 0, 3), {row_at(run, 0, 0), row_at(run, 1, 0)});
  wait(run, row_at(run, 0, 4), {row_at(run, 0, 3)});
  wait(run, row_at(run, 1, 4), {row_at(run, 0, 3)});
  wait(run, row_at(run, 0, 7), {row_at(run, 0, 4), row_at(run, 1, 4)});
  EXPECT_THAT(texts_of(run, 0),
              ElementsAre("1-3 waiting for slower ranks of experts", "5-7 waiting for slower ranks of grad-reduce"));
  EXPECT_THAT(texts_of(run, 1), IsEmpty());
}

// Ranks 2 and 3 take 1 s and 3 s where stage 0 takes 1 s: of the 6 s that rank 1 waits for rank 3, 2 s are because
// stage 1 takes 2 s on average, and 2 s because rank 3 takes 3 s.
TEST(Bubbles, ASlowRankOfAnotherStageIsToldFromItsStage) {
  record::RunRecord run =
      record_of({0, 0, 1, 1}, {pass(0, "forward", 0, 1), pass(0, "backward", 3, 4), pass(1, "forward", 0, 1),
                               pass(1, "backward", 7, 8), pass(2, "forward", 1, 2), pass(2, "backward", 2, 3),
                               pass(3, "forward", 1, 4), pass(3, "backward", 4, 7)});
  for (const std::uint32_t rank : {0U, 1U}) {
    wait(run, row_at(run, rank + 2, 1), {row_at(run, rank, 0)});
    const double turn = rank == 0 ? 2 : 4;
    const double back = rank == 0 ? 3 : 7;
    wait(run, row_at(run, rank + 2, turn), {row_at(run, rank + 2, 1)});
    wait(run, row_at(run, rank, back), {row_at(run, rank + 2, turn)});
  }
  EXPECT_THAT(texts_of(run, 1), ElementsAre("1-3 waiting for stage 1's backward of micro-batch 0",
                                            "3-5 waiting for slower stage 1's backward of micro-batch 0",
                                            "5-7 waiting for slower rank 3's backward of micro-batch 0"));
}

// What arrives meanwhile for later interrupts the wait, and is not what it is for.
TEST(Bubbles, AWaitIsForTheNextComputeTask) {
  record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 1, 1),
                                             pass(0, "backward", 1, 6),
                                             pass(1, "forward", 0, 1),
                                             pass(1, "backward", 6, 11),
                                             {0, "pp-send-next", "forward", 2, 3, 1},
                                             {1, "pp-recv-prev", "forward", 2, 3, 1}});
  same_task(run, {row_at(run, 0, 2), row_at(run, 1, 2)});
  wait(run, row_at(run, 0, 1), {row_at(run, 0, 0)});
  wait(run, row_at(run, 0, 2), {row_at(run, 0, 0)});
  wait(run, row_at(run, 1, 6), {row_at(run, 0, 1)});
  EXPECT_THAT(texts_of(run, 1), ElementsAre("1-2 waiting for stage 0's backward of micro-batch 0",
                                            "3-6 waiting for stage 0's backward of micro-batch 0"));
}

TEST(Bubbles, InferenceCoolsDownUntilItsLastToken) {
  record::RunRecord run = record_of(
      {0, 1}, {pass(0, "prefill", 0, 1), pass(1, "prefill", 1, 2), pass(0, "decode", 2, 3), pass(1, "decode", 3, 4)});
  chain(run);
  EXPECT_THAT(texts_of(run, 0), ElementsAre("1-2 waiting for stage 1's prefill of micro-batch 0", "3-4 cool-down"));
}

TEST(Bubbles, WithoutDependenciesAWaitIsForANeighbour) {
  const record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 1), pass(0, "backward", 4, 6),
                                                   pass(1, "forward", 1, 2), pass(1, "backward", 2, 4)});
  EXPECT_THAT(texts_of(run, 0), ElementsAre("1-4 waiting for a neighbour"));
  EXPECT_THAT(texts_of(run, 1), ElementsAre("0-1 warm-up", "4-6 cool-down"));
}

TEST(Bubbles, TasksThatWaitForEachOtherDoNoHarm) {
  record::RunRecord run = record_of({0, 1}, {pass(0, "forward", 0, 1), pass(0, "backward", 4, 6),
                                             pass(1, "forward", 4, 4), pass(1, "backward", 4, 4)});
  const std::uint32_t forward = row_at(run, 1, 4);
  wait(run, forward, {forward + 1});
  wait(run, forward + 1, {forward});
  wait(run, row_at(run, 0, 4), {forward, row_at(run, 0, 4)});
  EXPECT_EQ(bubbles_of(run, 0).size(), 1U);
}

TEST(Bubbles, AreExactlyTheIdleTime) {
  for (const bool folded : {true, false}) {
    const record::RunRecord run = sample_record({.stages = 5, .micro_batches = 13, .folded = folded});
    const RowMeanings meanings(run.tasks);
    for (std::uint32_t rank = 0; rank < run.ranks.size(); ++rank) {
      std::vector<double> expected; // begins and ends
      visit_activities(run, rows_of(run, rank), meanings, [&](double begin, double end, Activity activity) {
        if (activity == Activity::Idle)
          expected.insert(expected.end(), {begin, end});
      });
      std::vector<double> found;
      for (const Bubble& bubble : bubbles_of(run, rank)) {
        EXPECT_LT(bubble.start, bubble.end);
        // The next piece of a wait continues the last one.
        if (!found.empty() && found.back() == bubble.start &&
            std::ranges::find(expected, bubble.start) == expected.end())
          found.back() = bubble.end;
        else
          found.insert(found.end(), {bubble.start, bubble.end});
      }
      EXPECT_EQ(found, expected);
    }
  }
}

} // namespace
} // namespace moesim::analysis
