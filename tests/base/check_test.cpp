#include "simulator/base/check.hpp"

#include <string>

#include <gmock/gmock.h>

namespace moesim {
namespace {

TEST(Check, TrueConditionDoesNothing) {
  EXPECT_NO_THROW(MOESIM_CHECK(1 + 1 == 2, "arithmetic"));
}

TEST(Check, FalseConditionNamesItselfItsPlaceAndTheMessage) {
  const int stages = 0;
  try {
    MOESIM_CHECK(stages > 0, "a pipeline has stages");
    FAIL() << "expected InternalError";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("check_test.cpp:"));
    EXPECT_THAT(error.what(), testing::EndsWith(": a pipeline has stages (expected stages > 0)"));
  }
}

TEST(Check, ActsAsOneStatement) {
  bool reached_else = false;
  if (reached_else)
    MOESIM_CHECK(false, "never evaluated");
  else
    reached_else = true;
  EXPECT_TRUE(reached_else);
}

} // namespace
} // namespace moesim
