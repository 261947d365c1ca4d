// Which verdict follows from what is known.
#include "simulator/audit/judge.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace moesim::audit {
namespace {

claims::Claim claim(std::string_view about, const std::string& figure) {
  claims::Claim result;
  result.about = *std::ranges::find(claims::quantities(), about, &claims::Quantity::name);
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = figure;
  result.claimed = claims::read_figure(node, result.about.measure).value.value();
  return result;
}

Verdict verdict(std::string_view about, const std::string& figure, const Evidence& evidence) {
  return judge(claim(about, figure), evidence);
}

TEST(Judge, WithoutEvidenceNothingCanBeChecked) {
  EXPECT_EQ(verdict("memory", "16GB", {}), Verdict::NotCheckable);
  EXPECT_EQ(verdict("memory", "16GB", {.limit = 80e9}), Verdict::NotCheckable) << "within a limit is no proof";
}

TEST(Judge, CountsAreExact) {
  EXPECT_EQ(verdict("count", "512", {.derived = 512}), Verdict::Consistent);
  EXPECT_EQ(verdict("count", "512", {.derived = 513}), Verdict::SelfContradiction);
  EXPECT_EQ(verdict("gpus", "512", {.derived = 512, .simulated = 256}), Verdict::Refuted);
}

TEST(Judge, SumsAreAsExactAsTheirDigits) {
  EXPECT_EQ(verdict("size", "58.6MB", {.derived = 58.64e6}), Verdict::Consistent);
  EXPECT_EQ(verdict("size", "58.6MB", {.derived = 58.66e6}), Verdict::SelfContradiction);
  EXPECT_EQ(verdict("size", "58.6MB", {.derived = 58.66e6, .derived_rounding = 0.05e6}), Verdict::Consistent);
}

TEST(Judge, SimulationsAreAsExactAsTheirQuantity) {
  EXPECT_EQ(verdict("iteration_time", "1.000s", {.simulated = 1.19}), Verdict::Consistent);
  EXPECT_EQ(verdict("iteration_time", "1.000s", {.simulated = 1.21}), Verdict::Refuted);
  EXPECT_EQ(verdict("iteration_time", "1.000s", {.simulated = 0.79}), Verdict::Refuted) << "better is not what it says";
  EXPECT_EQ(verdict("memory", "1.00GB", {.simulated = 1.09e9}), Verdict::Consistent);
  EXPECT_EQ(verdict("memory", "1.00GB", {.simulated = 1.11e9}), Verdict::Refuted);
  EXPECT_EQ(verdict("expert_imbalance", "0%", {.simulated = 0.001}), Verdict::Refuted);
}

TEST(Judge, BoundsHoldOnOneSide) {
  EXPECT_EQ(verdict("ttft", "< 6s", {.simulated = 0.06}), Verdict::Consistent);
  EXPECT_EQ(verdict("ttft", "< 6s", {.simulated = 7.3}), Verdict::Refuted);
  EXPECT_EQ(verdict("compute_share", "> 90%", {.simulated = 0.99}), Verdict::Consistent);
  EXPECT_EQ(verdict("share", "> 90%", {.derived = 0.89}), Verdict::SelfContradiction);
  EXPECT_EQ(verdict("share", "15-20%", {.derived = 0.18}), Verdict::Consistent);
  EXPECT_EQ(verdict("share", "15-20%", {.derived = 0.27}), Verdict::SelfContradiction);
  EXPECT_EQ(verdict("share", "15-20%", {.derived = 0.13}), Verdict::SelfContradiction);
}

TEST(Judge, HardwareIsTheMostAndOfTimesTheLeast) {
  EXPECT_EQ(verdict("bandwidth", "280 GB/ms", {.derived = 280e12, .limit = 1.8e12}), Verdict::BeyondHardware);
  EXPECT_EQ(verdict("bandwidth", "1 GB/ms", {.derived = 1e12, .limit = 1.8e12}), Verdict::Consistent);
  EXPECT_EQ(verdict("bandwidth", "> 2 GB/ms", {.limit = 1.8e12}), Verdict::BeyondHardware);
  EXPECT_EQ(verdict("bandwidth", "< 2 GB/ms", {.limit = 1.8e12}), Verdict::NotCheckable);
  EXPECT_EQ(verdict("iteration_time", "1.0s", {.limit = 2, .simulated = 1}), Verdict::BeyondHardware);
  EXPECT_EQ(verdict("iteration_time", "2.0s", {.limit = 1, .simulated = 2}), Verdict::Consistent);
  EXPECT_EQ(verdict("iteration_time", "< 1s", {.limit = 2}), Verdict::BeyondHardware);
  EXPECT_EQ(verdict("iteration_time", "1-4s", {.limit = 2, .simulated = 3}), Verdict::Consistent);
}

TEST(Judge, TheWorstVerdictWins) {
  EXPECT_EQ(verdict("memory", "90GB", {.derived = 50e9, .limit = 80e9, .simulated = 10e9}), Verdict::BeyondHardware);
  EXPECT_EQ(verdict("memory", "70GB", {.derived = 50e9, .limit = 80e9, .simulated = 10e9}), Verdict::SelfContradiction);
  EXPECT_EQ(verdict("memory", "70GB", {.derived = 70e9, .limit = 80e9, .simulated = 10e9}), Verdict::Refuted);
}

} // namespace
} // namespace moesim::audit
