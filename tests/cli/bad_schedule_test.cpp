// Schedules that cannot do what the rest of the scenario asks of them, and orders that cannot run.
#include <fstream>

#include <gmock/gmock.h>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using ::testing::HasSubstr;

// The small scenario with four layers under a schedule, and more in `training`.
std::string problems_of(const std::string& schedule, const std::string& parallel = "", const std::string& more = "") {
  return problems(small_scenario({{"num_hidden_layers: 2", "num_hidden_layers: 4"}, {"pp: 2", "pp: 2" + parallel}}) +
                  "  schedule: " + schedule + "\n" + more);
}

TEST(BadSchedule, Name) {
  EXPECT_EQ(problems_of("zb-h3"), "scenario.yaml:18:13: training.schedule: unknown value 'zb-h3'; did you mean "
                                  "'zb-h1'? expected one of zb-h1, 1f1b, dualpipe, dualpipe-v, gpipe, "
                                  "interleaved-1f1b, zb-auto, zb-h2, zb-v\n");
}

TEST(BadSchedule, Chunks) {
  EXPECT_EQ(problems_of("1f1b", ", vpp: 2"), "scenario.yaml:14:31: parallel.vpp: 1f1b cuts the model into 1 chunk for "
                                             "each stage, not 2; use 1, or another schedule\n");
  EXPECT_EQ(problems_of("interleaved-1f1b", ", vpp: 1"),
            "scenario.yaml:14:31: parallel.vpp: interleaved-1f1b cuts the model into at least 2 chunks for each stage, "
            "not 1; use 2 or more, or another schedule\n");
  EXPECT_EQ(problems_of("zb-v", ", vpp: 4, layers_per_stage: [0, 1, 1, 1, 1, 0, 0, 0]"),
            "scenario.yaml:14:31: parallel.vpp: zb-v cuts the model into 2 chunks for each stage, not 4; use 2, or "
            "another schedule\n"
            "scenario.yaml:14:52: parallel.layers_per_stage: stage 5 holds nothing; only the first and the last may "
            "have 0 layers\n"
            "scenario.yaml:14:52: parallel.layers_per_stage: stage 6 holds nothing; only the first and the last may "
            "have 0 layers\n");
  EXPECT_EQ(problems(small_scenario() + "  schedule: zb-v\n"),
            "scenario.yaml:14:23: parallel.pp: pp x vpp = 4 does not divide the 2 layers; use 2, or list "
            "layers_per_stage\n");
}

TEST(BadSchedule, TwoCopiesOfTheModel) {
  EXPECT_THAT(
      problems_of("dualpipe", "", "  sharding: zero-2\n"),
      HasSubstr("scenario.yaml:19:13: training.sharding: dualpipe keeps two copies of the model whole; use none "
                "or zero-1, or dualpipe-v\n"));
  EXPECT_THAT(problems_of("dualpipe", "", "  overlap: {grad_reduce: true}\n"),
              HasSubstr("scenario.yaml:19:12: training.overlap: dualpipe sums the gradients of its two copies first"));
  EXPECT_EQ(problems_of("dualpipe"), "scenario.yaml:18:13: training.schedule: dualpipe fills 2 stages from both "
                                     "ends with an even number of micro-batches, at least 4, not 2; use 4\n");
}

TEST(BadSchedule, PassesThatRunTogether) {
  EXPECT_EQ(problems_of("zb-h1", "", "  overlap: {expert: true}\n"),
            "scenario.yaml:19:12: training.overlap: zb-h1 runs no forward together with a backward; use expert: "
            "chunked, or the schedule 1f1b, interleaved-1f1b, dualpipe or dualpipe-v\n");
  EXPECT_EQ(problems_of("1f1b", "", "  overlap: {expert: true}\n  sharding: zero-3\n"),
            "scenario.yaml:19:12: training.overlap: expert: true needs gradients and weights whole on each rank; use "
            "sharding: none or zero-1, or expert: chunked\n");
}

TEST(BadSchedule, OrderOfOnesOwn) {
  EXPECT_EQ(problems_of("custom"), "scenario.yaml:18:13: training.schedule: a custom order has to be given: {type: "
                                   "custom, order: TEXT} or {type: custom, file: FILE}\n");
  EXPECT_EQ(problems_of("{type: custom, order: \"F0 F1 B0 B1\\nF0 B0 F1\"}"),
            "scenario.yaml:18:13: training.schedule: stage 1: B1 is missing\n");
  EXPECT_EQ(problems_of("{type: custom, order: \"F0 B0 F1 B1\\nF1 F0 B1 B0\"}"),
            "scenario.yaml:18:13: training.schedule: passes wait for each other in a circle: stage 0 B0 for stage 1 "
            "B0 for stage 1 B1 for stage 1 F0 for stage 1 F1 for stage 0 F1 for stage 0 B0\n");
  EXPECT_THAT(problems_of("{type: custom, order: \"F0 X1\"}"),
              HasSubstr("scenario.yaml:18:35: training.schedule.order: line 1: "));
  EXPECT_THAT(
      problems_of("{type: custom, order: \"F0.255 B0.255\"}"),
      HasSubstr("scenario.yaml:18:35: training.schedule.order: a stage has at most 255 chunks, and the order has "
                "a chunk 255; use 0 to 254\n"));
  EXPECT_THAT(problems_of("{type: custom, file: missing.csv}"), HasSubstr("training.schedule.file: line 1: "));
}

// Nobody would have the same part twice on one rank.
TEST(BadSchedule, CopiesThatMeetInTheMiddle) {
  EXPECT_EQ(problems(small_scenario({{"pp: 2", "pp: 1"}}) +
                     "  schedule: {type: custom, placement: bidirectional, order: \"F0.0 F1.1 B0.0 B1.1\"}\n"),
            "scenario.yaml:18:13: training.schedule: two copies of the model start from both ends, and of 1 stages the "
            "middle one would hold the same part twice; use an even pp\n");
}

// What one of them needs first has been posted behind what the other sends last.
TEST(BadSchedule, RendezvousThatNobodyKeeps) {
  EXPECT_THAT(problems_of("{type: custom, order: \"F0 F1 B0 B1\\nF0 F1 B1 B0\"}", "", "  p2p: rendezvous\n"),
              HasSubstr("training.p2p: "));
  EXPECT_THAT(problems_of("zb-v", "", "  p2p: rendezvous\n"),
              HasSubstr("scenario.yaml:19:8: training.p2p: passes wait for each other in a circle: stage 0 "));
}

// Without expert: true passes with & between them run one by one: what they would not wait for together, they do so.
TEST(BadSchedule, RendezvousOfPassesThatDoNotRunTogether) {
  const std::string four =
      small_scenario(
          {{"num_hidden_layers: 2", "num_hidden_layers: 4"}, {"global_batch_size: 4", "global_batch_size: 8"}}) +
      "  schedule: {type: custom, placement: bidirectional, order: \"F0.0 F2.1 F1.0 B2.1 F3.1&B0.0 B3.1 B1.0\\n"
      "F2.1 F0.0 F3.1&B0.0 F1.0&B2.1 B1.0 B3.1\"}\n  p2p: rendezvous\n";
  EXPECT_EQ(problems(four),
            "scenario.yaml:19:8: training.p2p: passes wait for each other in a circle: stage 0 B2.1 for stage 1 "
            "B0.0 for stage 0 B2.1; use eager, or overlap.pp: true\n");
}

} // namespace
} // namespace moesim::testing
