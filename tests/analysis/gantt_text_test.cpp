#include "analysis/gantt_text.hpp"

#include "tests/analysis/record_builder.hpp"

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using moesim::testing::record_of;
using ::testing::HasSubstr;

record::RunRecord two_stages() {
  return record_of({0, 1}, {{0, "compute", "forward", 0, 1, 0},
                            {0, "compute", "forward", 1, 2, 1},
                            {0, "compute", "backward", 4, 6, 0},
                            {1, "compute", "forward", 1, 2, 0},
                            {1, "compute", "backward", 2, 4, 0},
                            {1, "compute", "backward-weight", 4, 5, 0}});
}

TEST(GanttText, HasACellForEachUnitOfTime) {
  EXPECT_EQ(gantt_text(two_stages(), 80, Colour::Off), "stage 0  F0 F1 .  .  B0---\n"
                                                       "stage 1  .  F0 B0--- W0 .\n"
                                                       "         F forward  B backward  W backward-weight  . idle\n");
}

TEST(GanttText, HasLettersWhereNumbersDoNotFit) {
  EXPECT_THAT(gantt_text(two_stages(), 16, Colour::Off).value(), HasSubstr("stage 0  FF..BB\n"
                                                                           "stage 1  .FBBW.\n"));
  EXPECT_EQ(gantt_text(two_stages(), 14, Colour::Off), std::nullopt);
}

TEST(GanttText, FindsTheUnitOfTimesThatRoundingMoved) {
  record::RunRecord run = two_stages();
  for (double& time : run.tasks.start)
    time = time / 3 * (1 + 1e-15);
  for (double& time : run.tasks.end)
    time = time / 3;
  run.figures.makespan /= 3;
  EXPECT_EQ(gantt_text(run, 80, Colour::Off), gantt_text(two_stages(), 80, Colour::Off));
  run.tasks.start[0] += 1e-4; // and gives up where there is none
  EXPECT_EQ(gantt_text(run, 80, Colour::Off), std::nullopt);
}

TEST(GanttText, JoinsPassesThatRunTogetherAndMarksChunks) {
  record::RunRecord run = record_of(
      {0},
      {{0, "compute", "forward", 0, 3, 4}, {0, "compute", "backward", 0, 3, 1}, {0, "compute", "forward", 3, 5, 5}});
  run.tasks.chunk[2] = 1;
  EXPECT_THAT(gantt_text(run, 80, Colour::Off).value(), HasSubstr("stage 0  F4&B1 f5-\n"));
  EXPECT_THAT(gantt_text(run, 15, Colour::Off).value(), HasSubstr("stage 0  &&&ff\n"));
}

TEST(GanttText, HasColoursWhenAskedTo) {
  EXPECT_THAT(gantt_text(two_stages(), 80, Colour::On).value(), HasSubstr("\033[38;5;32mF0\033[0m "));
}

} // namespace
} // namespace moesim::analysis
