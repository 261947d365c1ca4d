#include "workloads/pipeline_layout.hpp"

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> stages(std::string_view text) {
  const PipelineLayout layout = read_pipeline_layout(text);
  EXPECT_THAT(layout.problems, ElementsAre()) << text;
  return layout.layers_per_stage;
}

std::string problem(std::string_view text) {
  const PipelineLayout layout = read_pipeline_layout(text);
  EXPECT_EQ(layout.problems.size(), 1u) << text;
  return layout.problems.empty() ? "" : layout.problems.front();
}

TEST(PipelineLayout, CountsTheLayersBetweenBars) {
  EXPECT_THAT(stages("EttL"), ElementsAre(2));
  EXPECT_THAT(stages("Et|tt|tttL"), ElementsAre(1, 2, 3));
  EXPECT_THAT(stages("E|tt|L"), ElementsAre(0, 2, 0));
}

// The comments of Megatron's parser: xy(ab|cd|ef)*2,pq is xyab|cd|efab|cd|efpq, and so on.
TEST(PipelineLayout, UnrollsLikeMegatron) {
  EXPECT_THAT(stages("Et*3|(tt|)*2,t|tL"), ElementsAre(3, 2, 2, 1, 1));
  EXPECT_THAT(stages("Et(t|tt|ttt)*2,tL"), ElementsAre(2, 2, 4, 2, 4));
  EXPECT_THAT(stages("E(|tt)*2,tL"), ElementsAre(0, 2, 3));
  EXPECT_THAT(stages("E(t*3|)*2,L"), ElementsAre(3, 3, 0));
  EXPECT_THAT(stages("Et*1,2L"), ElementsAre(12)); // commas go first
}

// DeepSeek-V3 (61 layers) on 16 stages.
TEST(PipelineLayout, DeepSeekFitsSixteenStages) {
  const PipelineLayout layout = read_pipeline_layout("Et*3|(t*4|)*14,ttmL");
  EXPECT_THAT(layout.problems, ElementsAre());
  EXPECT_EQ(layout.layers_per_stage.size(), 16u);
  EXPECT_EQ(layout.layers_per_stage.front(), 3);
  EXPECT_EQ(layout.layers_per_stage[7], 4);
  EXPECT_EQ(layout.layers_per_stage.back(), 2);
  EXPECT_EQ(layout.mtp_layers, 1);
}

TEST(PipelineLayout, SaysWhereItCannotBeRead) {
  EXPECT_EQ(problem("Etx|tL"), "position 3: unknown 'x'; known are E, t, m, L, |, *, ( and )");
  EXPECT_EQ(problem("Et |tL"), "position 3: unknown character; known are E, t, m, L, |, *, ( and )");
  EXPECT_EQ(problem("*2EtL"),
            "position 1: '*' repeats nothing; put it behind a letter or a group, as in t*3 or (tt|)*2");
  EXPECT_EQ(problem("Et*2*3L"),
            "position 5: '*' repeats nothing; put it behind a letter or a group, as in t*3 or (tt|)*2");
  EXPECT_EQ(problem("Et*|tL"), "position 4: expected how often, a whole number from 1 to 1000000");
  EXPECT_EQ(problem("E,t*0L"), "position 5: expected how often, a whole number from 1 to 1000000");
  EXPECT_EQ(problem("Et*99999999999999999999999L"), "position 4: expected how often, a whole number from 1 to 1000000");
  EXPECT_EQ(problem("E(tt|)*1000000,L"), "position 2: more than 1000000 letters and bars when written out; use fewer");
  EXPECT_EQ(problem("E(t*600000,t*600000)*1,L"),
            "position 12: more than 1000000 letters and bars when written out; use fewer");
  EXPECT_EQ(problem("E(tt|L"), "position 2: the group has no ')'; close it, as in (tt|)*2");
  EXPECT_EQ(problem("E((t|)*2)*2,L"), "position 3: a group within a group; write one of them out");
  EXPECT_EQ(problem("E()*2,tL"), "position 2: the group is empty; put letters or bars in it, as in (tt|)*2");
  EXPECT_EQ(problem("E(tt|)tL"), "position 7: a group is there to be repeated; put *n behind it, as in (tt|)*2");
  EXPECT_EQ(problem("Ett)*2,L"), "position 4: ')' without a '('; remove it");
  EXPECT_EQ(problem(""), "holds no layers; expected stages such as Et|tL");
  EXPECT_EQ(problem("|,|"), "holds no layers; expected stages such as Et|tL");
}

TEST(PipelineLayout, SaysWhatIsOutOfPlace) {
  EXPECT_EQ(problem("tt|tL"), "position 1: the embedding is missing; begin with E");
  EXPECT_EQ(problem("tE|tL"), "position 2: E is not the first; put it at the start");
  EXPECT_EQ(problem("Et|EtL"), "position 4: a second E; the embedding is there once, at the start");
  EXPECT_EQ(problem("Et|tt"), "position 5: the loss is missing; end with L");
  EXPECT_EQ(problem("EtL|t"), "position 3: L is not the last; put it at the end");
  EXPECT_EQ(problem("Et|L*2"), "position 4: a second L; the loss is there once, at the end");
  EXPECT_EQ(problem("Et||tL"), "position 4: stage 1 is empty; put t in it, or remove the '|'");
  EXPECT_EQ(problem("Et|tL|"), "position 6: nothing follows the last '|'; remove it");
  EXPECT_EQ(problem("Et|m|L"), "position 4: m is not right before L; put it there, in the last stage, as in tmL");
  EXPECT_EQ(problem("Em|tL"), "position 2: m is not right before L; put it there, in the last stage, as in tmL");
}

TEST(PipelineLayout, SaysEverythingAtOnce) {
  EXPECT_THAT(read_pipeline_layout("t||t").problems,
              ElementsAre("position 3: stage 1 is empty; put t in it, or remove the '|'",
                          "position 1: the embedding is missing; begin with E",
                          "position 4: the loss is missing; end with L"));
}

} // namespace
} // namespace moesim::workloads
