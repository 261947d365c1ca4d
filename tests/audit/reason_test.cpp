// The line behind a verdict.
#include "simulator/audit/reason.hpp"

#include <gtest/gtest.h>

namespace moesim::audit {
namespace {

claims::Expression sum(const std::string& text) {
  std::vector<claims::ExpressionProblem> problems;
  return claims::parse_expression(text, problems);
}

TEST(Reason, ASumIsShownWithItsValuesAndItsResult) {
  const claims::Unit plain{"", 1};
  const auto four = [](const auto&) { return std::string("4"); };
  EXPECT_EQ(sum_text(sum("8 * 4 * 16 * 4"), 2048, plain, four), "8 × 4 × 16 × 4 = 2,048");
  EXPECT_EQ(sum_text(sum("tp * 2"), 8, plain, four), "tp × 2 = 4 × 2 = 8");
  EXPECT_EQ(sum_text(sum("tp"), 4, plain, four), "tp = 4");
}

TEST(Reason, SaysWhatDecidedAndThenTheNote) {
  claims::Claim claim;
  claim.about = {"iteration_time", claims::Measure::Time, claims::Accuracy::Timing, ""};
  claim.claimed = {claims::Relation::Equal, 1, 1, 0.05, {"s", 1}, "1.0s"};
  const Grounds grounds{"1 + 1 = 2 s", "a / b = 3 s", "other.yaml"};
  EXPECT_EQ(reason(claim, {.limit = 3}, grounds), "at least a / b = 3 s");
  EXPECT_EQ(reason(claim, {.derived = 2, .simulated = 1}, grounds), "1 + 1 = 2 s");
  EXPECT_EQ(reason(claim, {.simulated = 4}, grounds), "simulated 4 s, 4 times the claim with other.yaml");
  EXPECT_EQ(reason(claim, {.simulated = 0.25}, grounds), "simulated 0.25 s, 1/4 of the claim with other.yaml");
  EXPECT_EQ(reason(claim, {.simulated = 1.5}, {}), "simulated 1.5 s, +50 % from the claim");
  EXPECT_EQ(reason(claim, {}, {}), "no sum of the document and no simulation gives this figure");
  claim.note = "as it says";
  EXPECT_EQ(reason(claim, {.simulated = 1}, {}), "simulated 1 s; as it says");
}

} // namespace
} // namespace moesim::audit
