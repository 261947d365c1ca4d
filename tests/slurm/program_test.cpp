#include "simulator/slurm/program.hpp"

#include <gtest/gtest.h>

namespace moesim::slurm {
namespace {

TEST(Program, TakesWhatItSaysAndHowItEnds) {
  const std::string much(1 << 20, 'x'); // more than a pipe holds
  const ProgramOutput output = run_program({"sh", "-c", "cat; echo \"$1\" >&2; exit 3", "sh", "a b'c"}, much);
  EXPECT_EQ(output.status, 3);
  EXPECT_TRUE(output.out == much);
  EXPECT_EQ(output.err, "a b'c\n");
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).status, 128 + 9);
}

TEST(Program, ThatDoesNotExist) {
  EXPECT_EQ(run_program({"no-such-program-anywhere"}).status, 127);
}

} // namespace
} // namespace moesim::slurm
