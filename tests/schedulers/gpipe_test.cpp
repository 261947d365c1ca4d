#include "schedulers/gpipe.hpp"

#include <gtest/gtest.h>

namespace moesim::schedulers {
namespace {

TEST(Gpipe, RunsAllForwardsThenAllBackwards) {
  EXPECT_EQ(describe(gpipe({.stages = 2, .micro_batches = 3})), "stage 0: F0 F1 F2 B0 B1 B2\n"
                                                                "stage 1: F0 F1 F2 B0 B1 B2\n");
}

} // namespace
} // namespace moesim::schedulers
