#include "simulator/config/number.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace moesim::config {
namespace {

TEST(Number, DecimalSpellingsAreNumbers) {
  for (const char* text : {"0", "8", "-8", "+8", "1.5", ".5", "5.", "1e3", "1E-3", "-1.5e+3", "007"})
    EXPECT_TRUE(is_number(text)) << text;
}

TEST(Number, OtherSpellingsAreNot) {
  for (const char* text : {"", "-", ".", "e3", "1e", "1_000", "0x10", "0o17", "inf", ".inf", "nan", ".nan", "1 ", " 1",
                           "1,000", "--1", "1.2.3", "eight"})
    EXPECT_FALSE(is_number(text)) << text;
}

TEST(Number, APrefixEndsWhereTheUnitStarts) {
  EXPECT_EQ(number_length("80GB"), 2u);
  EXPECT_EQ(number_length("1EB"), 1u);
  EXPECT_EQ(number_length("1.5e3 us"), 5u);
  EXPECT_EQ(number_length("2e us"), 1u);
  EXPECT_EQ(number_length("GB"), 0u);
}

TEST(Number, ValuesBeyondADoubleHaveNone) {
  EXPECT_EQ(number_value("+1.5e3"), 1500.0);
  EXPECT_EQ(number_value("-.5"), -0.5);
  EXPECT_EQ(number_value("1e999"), std::nullopt);
  EXPECT_EQ(number_value("-1e999"), std::nullopt);
}

TEST(Number, IntegersAreDigitsHeldToAnInt64) {
  EXPECT_TRUE(is_integer("-12"));
  EXPECT_FALSE(is_integer("1.0"));
  EXPECT_FALSE(is_integer("1e3"));
  EXPECT_FALSE(is_integer("-"));
  EXPECT_FALSE(is_integer(""));
  EXPECT_EQ(integer_value("+12"), 12);
  EXPECT_EQ(integer_value("010"), 10);
  EXPECT_EQ(integer_value("99999999999999999999"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(integer_value("-99999999999999999999"), std::numeric_limits<std::int64_t>::min());
}

TEST(Number, BooleansAreThoseOfYaml12) {
  EXPECT_EQ(boolean("true"), true);
  EXPECT_EQ(boolean("FALSE"), false);
  EXPECT_EQ(boolean("yes"), std::nullopt);
  EXPECT_EQ(boolean("off"), std::nullopt);
  EXPECT_EQ(boolean("1"), std::nullopt);
}

} // namespace
} // namespace moesim::config
