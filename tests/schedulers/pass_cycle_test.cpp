#include "schedulers/pass_cycle.hpp"

#include <gtest/gtest.h>

#include "schedulers/custom_order.hpp"

namespace moesim::schedulers {
namespace {

std::string circle(std::string_view text, const Chunks& chunks, Posting posting) {
  const std::vector<StagePass> passes = cycle(parse_order(text).order, chunks, posting);
  return passes.empty() ? "" : describe(passes, chunks);
}

TEST(PassCycle, FindsPassesThatWaitForEachOther) {
  EXPECT_EQ(circle("F1 F0 B0 B1\n"
                   "F0 B0 F1 B1",
                   {.stages = 2}, Posting::Eager),
            "");
  EXPECT_EQ(
      circle("F0 B0 F1 B1\n"
             "F0 F1 B0 B1",
             {.stages = 2}, Posting::Eager),
      "passes wait for each other in a circle: stage 0 B0 for stage 1 B0 for stage 1 F1 for stage 0 F1 for stage 0 "
      "B0");
}

TEST(PassCycle, FindsAPassThatNeedsOneThatItRunsTogetherWith) {
  EXPECT_EQ(circle("F0&B0", {}, Posting::Eager),
            "passes wait for each other in a circle: stage 0 F0&B0 for stage 0 F0&B0");
}

TEST(PassCycle, NamesChunks) {
  EXPECT_EQ(circle("F0.1 F0.0 B0.1 B0.0", {ChunkPlacement::Loop, 1, 2}, Posting::Eager),
            "passes wait for each other in a circle: stage 0 F0.1 for stage 0 F0.0 for stage 0 F0.1");
}

// F3 starts when F2 has left, which stage 1 takes after B1. F1 starts there when B0 has left, which stage 0 takes after
// F3.
TEST(PassCycle, FindsTransfersThatWaitForEachOther) {
  constexpr std::string_view order = "F0 F1 F2 F3 B0 B1 B2 B3\n"
                                     "F0 B0 F1 B1 F2 B2 F3 B3";
  EXPECT_EQ(circle(order, {.stages = 2}, Posting::Eager), "");
  EXPECT_EQ(circle(order, {.stages = 2}, Posting::Rendezvous),
            "passes wait for each other in a circle: stage 0 F3 for stage 1 B1 for stage 1 F1 for stage 0 F3");
}

// Of passes that run together, the transfers come before and after both.
TEST(PassCycle, PostsTransfersOfPassesThatRunTogetherAtOnce) {
  EXPECT_EQ(circle("F0 F1 F2 F3&B0 B1 B2 B3\n"
                   "F0 F1&B0 F2&B1 F3&B2 B3",
                   {.stages = 2}, Posting::Rendezvous),
            "");
}

} // namespace
} // namespace moesim::schedulers
