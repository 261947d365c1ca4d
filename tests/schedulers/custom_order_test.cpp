#include "schedulers/custom_order.hpp"

#include <gmock/gmock.h>

#include "tests/schedulers/schedule_properties.hpp"

namespace moesim::schedulers {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

auto problem_at(int line, const std::string& message) {
  return AllOf(Field(&LineProblem::line, line), Field(&LineProblem::message, message));
}

TEST(CustomOrder, ReadsWhatDescribeWrites) {
  for (const PipelineSchedule& schedule : schedules()) {
    const ScheduleShape shape{.stages = 4,
                              .micro_batches = 12,
                              .chunks = std::max<std::int64_t>(schedule.chunks, schedule.chunks == 0 ? 2 : 1),
                              .fuses_passes = schedule.can_fuse};
    const PipelineOrder order = schedule.order(shape);
    const CustomOrder read = parse_order(describe(order));
    EXPECT_THAT(read.problems, IsEmpty()) << schedule.name;
    EXPECT_EQ(read.order, order) << schedule.name;
    EXPECT_THAT(problems(order, moesim::testing::chunks_of(schedule, shape), shape), IsEmpty()) << schedule.name;
  }
}

TEST(CustomOrder, TellsWholeBackwardsFromSplitOnes) {
  const CustomOrder read = parse_order("F0 F1&B0 B1 W1");
  ASSERT_THAT(read.problems, IsEmpty());
  EXPECT_THAT(read.order, ElementsAre(ElementsAre(PipelinePass{PassKind::Forward, 0, 0, false},
                                                  PipelinePass{PassKind::Forward, 1, 0, true},
                                                  PipelinePass{PassKind::Backward, 0, 0, false},
                                                  PipelinePass{PassKind::BackwardInput, 1, 0, false},
                                                  PipelinePass{PassKind::BackwardWeight, 1, 0, false})));
}

TEST(CustomOrder, NamesLinesThatItCannotRead) {
  constexpr std::string_view text = "F0 B0\n"
                                    "\n"
                                    "F0 X1\n"
                                    "stage 5: F0\n"
                                    "F0&\n"
                                    "F0.a B99999999999\n";
  EXPECT_THAT(
      parse_order(text).problems,
      ElementsAre(
          problem_at(3, "'X1' is no pass; write F, B or W, a micro-batch and, after a dot, a chunk: F0, F0.1, F2&B0"),
          problem_at(4, "'stage 5' stands where stage 2 does; write 'stage 2:', or the passes alone"),
          problem_at(5, "'F0&' is no pass; write F, B or W, a micro-batch and, after a dot, a chunk: F0, F0.1, F2&B0"),
          problem_at(6,
                     "'F0.a' is no pass; write F, B or W, a micro-batch and, after a dot, a chunk: F0, F0.1, F2&B0")));
}

TEST(CustomOrder, ReadsTables) {
  const CustomOrder read = parse_order_table("stage,pass,micro_batch,chunk,with_next\r\n"
                                             "1,F,0,0,\r\n"
                                             "0,F,0,0,0\r\n"
                                             "0,F,1,0,1\r\n"
                                             "0,B,0,0,0\r\n"
                                             "1,B,0,0,0\r\n"
                                             "1,W,0,0,0\r\n");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_EQ(describe(read.order), "stage 0: F0 F1&B0\n"
                                  "stage 1: F0 B0 W0\n");
  EXPECT_EQ(read.order[1][1].kind, PassKind::BackwardInput);
}

TEST(CustomOrder, ReadsTablesWithColumnsInAnyOrder) {
  EXPECT_EQ(describe(parse_order_table("pass,chunk,stage,micro_batch\nF,1,0,7\n").order), "stage 0: F7.1\n");
}

TEST(CustomOrder, NamesRowsThatItCannotRead) {
  EXPECT_THAT(
      parse_order_table("stage,pass,micro_batch\n").problems,
      ElementsAre(problem_at(1, "column 'chunk' is missing; the first row names stage,pass,micro_batch,chunk and, "
                                "if wanted, with_next")));
  EXPECT_THAT(parse_order_table("stage,pass,micro_batch,chunk,with_next\n"
                                "0,G,0,0,0\n"
                                "0,F,x,0,0\n"
                                "0,F,0\n"
                                "-1,F,0,0,0\n"
                                "0,F,0,0,yes\n"
                                "1000000,F,0,0,0\n")
                  .problems,
              ElementsAre(problem_at(2, "pass 'G' is none of F, B and W"),
                          problem_at(3, "micro_batch 'x' is no number; they count from 0"),
                          problem_at(4, "chunk '' is no number; they count from 0"),
                          problem_at(5, "stage '-1' is no number; they count from 0"),
                          problem_at(6, "with_next 'yes' is neither 0 nor 1"),
                          problem_at(7, "stage 1000000 is more than the table has rows; stages count from 0")));
}

std::vector<std::string> problems_of(std::string_view text, const Chunks& chunks, std::int64_t micro_batches) {
  const CustomOrder read = parse_order(text);
  EXPECT_THAT(read.problems, IsEmpty());
  return problems(read.order, chunks,
                  {.stages = chunks.stages, .micro_batches = micro_batches, .chunks = chunks.chunks});
}

TEST(OrderProblems, NameEachPass) {
  EXPECT_THAT(problems_of("F0 F0 B0 F2\n"
                          "B0 F0 W1 F1 B1 F0.1",
                          {.stages = 2}, 2),
              ElementsAre("stage 0: F0 is there twice",
                          "stage 0: F2 is of a micro-batch that there is not; they are 0 to 1",
                          "stage 0: F1 is missing", "stage 0: B1 is missing",
                          "stage 1: F0.1 is of a chunk that there is not; they are 0 to 0",
                          "stage 1: B0 comes before its F0", "stage 1: W1 comes before its B1"));
  EXPECT_THAT(problems_of("F0 B0", {.stages = 2}, 1), ElementsAre("there are 2 stages, and the order has 1"));
}

// Not pass by pass, of which a large batch has millions.
TEST(OrderProblems, SayOnceThatThereAreMoreMicroBatches) {
  EXPECT_THAT(problems_of("F0 F1 B0 B1\nF0 B0 F1 B1", {.stages = 2}, 1'000'000'000),
              ElementsAre("F2 is missing on every stage: the order has 2 of the 1000000000 micro-batches; write the "
                          "passes of all, or use a smaller batch"));
}

TEST(OrderProblems, NamePassesThatCannotRunTogether) {
  EXPECT_THAT(problems_of("F0&F1 B0 B1", {}, 2),
              ElementsAre("stage 0: F0 cannot run together with F1; only a forward with the backward behind it can"));
  EXPECT_THAT(problems_of("F0&B0", {}, 1), ElementsAre("stage 0: F0 cannot run together with B0, which needs it"));
  PipelineOrder order = parse_order("F0 B0").order;
  order[0].back().with_next = true;
  EXPECT_THAT(problems(order, {}, {}), ElementsAre("stage 0: B0 runs together with the next pass, and is the last"));
}

TEST(OrderProblems, NameHalvesOfABackward) {
  PipelineOrder order = parse_order("F0 B0 W0").order;
  order[0][1].kind = PassKind::Backward;
  EXPECT_THAT(problems(order, {}, {}), ElementsAre("stage 0: W0 is part of B0 already"));
  order[0] = {{PassKind::Forward, 0, 0}, {PassKind::BackwardInput, 0, 0}};
  EXPECT_THAT(problems(order, {}, {}), ElementsAre("stage 0: W0 is missing"));
}

TEST(OrderProblems, NameMicroBatchesThatGoTheOtherWay) {
  EXPECT_THAT(problems_of("F0.0 F1.0 B0.0 B1.0", {ChunkPlacement::Bidirectional, 1, 2}, 2),
              ElementsAre("stage 0: F1.0 is of a micro-batch that goes the other way, through chunk 1",
                          "stage 0: B1.0 is of a micro-batch that goes the other way, through chunk 1",
                          "stage 0: F1.1 is missing", "stage 0: B1.1 is missing"));
}

TEST(OrderProblems, NameTheCircle) {
  EXPECT_THAT(problems_of("F0 F1&B0 B1\n"
                          "F0 F1 B0 B1",
                          {.stages = 2}, 2),
              ElementsAre("passes wait for each other in a circle: stage 0 F1&B0 for stage 1 B0 for stage 1 F1 for "
                          "stage 0 F1&B0"));
}

} // namespace
} // namespace moesim::schedulers
