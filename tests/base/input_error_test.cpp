#include "simulator/base/input_error.hpp"

#include <gtest/gtest.h>

#include "simulator/base/check.hpp"

namespace moesim {
namespace {

TEST(InputError, AProblemIsOneLineWithPlaceFieldAndMessage) {
  const Position place{"a.yaml", 12, 13};
  EXPECT_EQ(to_string({place, "parallel.pp", "0 is too small; expected at least 1"}),
            "a.yaml:12:13: parallel.pp: 0 is too small; expected at least 1");
}

TEST(InputError, AProblemOfTheWholeFileNamesNoField) {
  const Position place{"a.yaml", 1, 1};
  EXPECT_EQ(to_string({place, "", "cannot be opened"}), "a.yaml:1:1: cannot be opened");
}

TEST(InputError, ProblemsAreSortedByPlaceAndKeepTheirOrderAtOnePlace) {
  Problems problems;
  problems.add({"b.yaml", 1, 1}, "", "fifth");
  problems.add({"a.yaml", 10, 1}, "", "fourth");
  problems.add({"a.yaml", 2, 7}, "", "second");
  problems.add({"a.yaml", 2, 3}, "", "first");
  problems.add({"a.yaml", 2, 7}, "", "third");
  try {
    problems.throw_if_any();
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "a.yaml:2:3: first\na.yaml:2:7: second\na.yaml:2:7: third\n"
                               "a.yaml:10:1: fourth\nb.yaml:1:1: fifth\n");
    EXPECT_EQ(error.problems().size(), 5u);
  }
}

TEST(InputError, ProblemsOfSeveralDocumentsAreCollected) {
  Problems problems;
  EXPECT_TRUE(problems.empty());
  EXPECT_NO_THROW(problems.throw_if_any());
  problems.add(InputError({"a.yaml", 1, 1}, "x", "wrong"));
  problems.add(InputError({"b.yaml", 1, 1}, "y", "wrong too"));
  EXPECT_EQ(problems.size(), 2u);
  EXPECT_THROW(problems.throw_if_any(), InputError);
}

TEST(InputError, WithoutAProblemIsABugOfOurs) {
  EXPECT_THROW(InputError(std::vector<Problem>{}), InternalError);
}

} // namespace
} // namespace moesim
