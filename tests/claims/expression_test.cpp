// What a sum means, how it is shown with its values, and where a mistake in it stands.
#include "simulator/claims/expression.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace moesim::claims {
namespace {

// Every name is worth the number of its letters.
double letters(const Expression::Name& name) {
  return static_cast<double>(name.word.size());
}

double value(const std::string& text) {
  std::vector<ExpressionProblem> problems;
  const Expression sum = parse_expression(text, problems);
  EXPECT_TRUE(problems.empty()) << text << ": " << (problems.empty() ? "" : problems.front().message);
  return problems.empty() ? sum.value(letters) : std::nan("");
}

std::string problem(const std::string& text) {
  std::vector<ExpressionProblem> problems;
  static_cast<void>(parse_expression(text, problems));
  EXPECT_EQ(problems.size(), 1U) << text;
  return problems.empty() ? "" : std::to_string(problems.front().offset) + ": " + problems.front().message;
}

TEST(Expression, FollowsTheRulesOfArithmetic) {
  EXPECT_DOUBLE_EQ(value("8 * 4 * 16 * 4"), 2048);
  EXPECT_DOUBLE_EQ(value("2 + 3 * 4"), 14);
  EXPECT_DOUBLE_EQ(value("(2 + 3) * 4"), 20);
  EXPECT_DOUBLE_EQ(value("20 - 8 - 4"), 8); // from the left
  EXPECT_DOUBLE_EQ(value("64 / 4 / 2"), 8); // from the left
  EXPECT_DOUBLE_EQ(value("1-2*3+4/8"), -4.5);
  EXPECT_DOUBLE_EQ(value(" tp * layers "), 12);
}

TEST(Expression, NumbersMayHaveAUnit) {
  EXPECT_DOUBLE_EQ(value("20GB / 64"), 312.5e6);
  EXPECT_DOUBLE_EQ(value("240TFLOP / 18GFLOP"), 240e12 / 18e9);
  EXPECT_DOUBLE_EQ(value("1 - 35%"), 0.65);
  EXPECT_DOUBLE_EQ(value("4ms + 1s"), 1.004);
  EXPECT_DOUBLE_EQ(value("10e9 * 2"), 20e9);
}

TEST(Expression, DividesByZeroToNothingFinite) {
  EXPECT_FALSE(std::isfinite(value("1 / (2 - 2)")));
}

TEST(Expression, IsShownWithItsValues) {
  std::vector<ExpressionProblem> problems;
  const Expression sum = parse_expression("layers * (1 + experts) / tp", problems);
  EXPECT_EQ(sum.with_values([](const auto& name) { return std::to_string(name.word.size()); }), "6 × (1 + 7) / 2");
}

TEST(Expression, SaysWhereAMistakeStands) {
  EXPECT_EQ(problem(""), "0: it ends where an operand should follow; expected a number, a name or (");
  EXPECT_EQ(problem("tp *"), "4: it ends where an operand should follow; expected a number, a name or (");
  EXPECT_EQ(problem("tp * * 2"), "5: found '* 2'; expected a number, a name or (");
  EXPECT_EQ(problem("(tp + 2"), "7: a parenthesis is not closed; expected )");
  EXPECT_EQ(problem("tp pp"), "3: 'pp' follows what could be all; expected one of + - * /");
  EXPECT_EQ(problem("2 * 3parsecs"),
            "5: unknown unit 'parsecs'; expected %, or one of time, size or FLOP such as ms, GB, GFLOP");
  EXPECT_EQ(problem("1e999"), "0: 1e999 is beyond what a number can hold");
  EXPECT_EQ(problem("-2"), "0: found '-2'; expected a number, a name or (");
  EXPECT_EQ(problem(std::string(1000, '(')), "65: more than 64 parentheses inside each other; expected a simpler sum");
}

} // namespace
} // namespace moesim::claims
