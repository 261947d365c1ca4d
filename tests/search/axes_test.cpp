// What `--axis` takes, and what it says about what it does not.
#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "tests/search/searched.hpp"

namespace moesim::search {
namespace {

using ::testing::ElementsAre;

std::string problems(const std::vector<std::string>& arguments) {
  const Searched searched;
  try {
    static_cast<void>(axes_of(searched.subject(), arguments));
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(SearchAxes, AreNarrowedByName) {
  const Axes axes = axes_of(Searched().subject(), std::vector<std::string>{"tp=4,1", "schedule=gpipe", "recompute=full",
                                                                           "overlap={pp: true},{}"});
  EXPECT_THAT(axes.tp, ElementsAre(4, 1));
  EXPECT_THAT(axes.schedule, ElementsAre("gpipe"));
  ASSERT_EQ(axes.recompute.size(), 1U);
  EXPECT_TRUE(axes.recompute.front().value.is_full());
  ASSERT_EQ(axes.overlap.size(), 2U);
  EXPECT_TRUE(axes.overlap.front().value.pp);
  EXPECT_THAT(axes.ep, ElementsAre(1, 2, 4)); // divisors of the experts
}

TEST(SearchAxes, AllProblemsAreReportedAtOnce) {
  EXPECT_EQ(problems({"tp=4,x", "shcedule=1f1b", "overlap={pp: maybe}", "pp"}),
            "--axis:1:1: expected NAME=VALUE,VALUE, such as tp=4,8\n"
            "--axis:1:1: shcedule: unknown key 'shcedule'; did you mean 'schedule'?\n"
            "--axis:1:6: tp.1: found the text \"x\"; expected a whole number from 1 to 100000000\n"
            "--axis:1:8: overlap: {pp: maybe}: found the text \"maybe\"; expected true or false\n");
}

TEST(SearchAxes, AnAxisWithoutAValueOrTwiceIsAProblem) {
  EXPECT_EQ(problems({"tp="}), "--axis:1:3: tp: there is no value; expected at least one, or none of this axis\n");
  EXPECT_EQ(problems({"tp=1", "tp=2"}),
            "--axis:1:1: tp: this axis is given twice; expected all of its values at once\n");
}

TEST(SearchAxes, TheClusterBecomesAsLargeAsTheSearchAsks) {
  const Subject subject = Searched().subject(32);
  EXPECT_EQ(subject.scenario.cluster.nodes, 8);
  EXPECT_EQ(subject.gpus, 32);
  EXPECT_EQ(Searched().subject().gpus, 8);
}

} // namespace
} // namespace moesim::search
