// What claims of speed ask for, and how the deployment that was found is put into words.
#include "simulator/audit/deployment.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace moesim::audit {
namespace {

using search::Wanted;

claims::Claim claim(std::string_view about, const std::string& figure) {
  claims::Claim result;
  result.id = about;
  result.about = *std::ranges::find(claims::quantities(), about, &claims::Quantity::name);
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = figure;
  result.claimed = claims::read_figure(node, result.about.measure).value.value();
  return result;
}

// 64 sequences of 1000 tokens on 8 GPUs.
scenario::Scenario batch() {
  scenario::Scenario scenario;
  scenario.job().sizes = {.tp = 2, .dp = 4};
  scenario.training_job().training.global_batch_size = 64;
  scenario.training_job().training.seq_length = 1000;
  return scenario;
}

Wanted wanted(const std::vector<claims::Claim>& claims) {
  return wanted_by(claims, batch());
}

TEST(Deployment, RatesAreTimesOfABatch) {
  EXPECT_DOUBLE_EQ(wanted({claim("iteration_time", "16ms")}).time.value(), 0.016);
  EXPECT_DOUBLE_EQ(wanted({claim("sequences_per_s", "8 sequences/s")}).time.value(), 8);
  EXPECT_DOUBLE_EQ(wanted({claim("tokens_per_s", "16 tokens/ms")}).time.value(), 4);
  EXPECT_DOUBLE_EQ(wanted({claim("tokens_per_s_per_gpu", "2 tokens/ms")}).time.value(), 4);
  EXPECT_DOUBLE_EQ(wanted({claim("tokens_per_s", "16-32 tokens/ms")}).time.value(), 4) << "the lower end";
  EXPECT_DOUBLE_EQ(wanted({claim("iteration_time", "1-2s")}).time.value(), 2) << "the upper end";
}

TEST(Deployment, EveryClaimHasToBeMet) {
  const Wanted all = wanted({claim("iteration_time", "3s"), claim("tokens_per_s", "16 tokens/ms"),
                             claim("ttft", "< 6s"), claim("memory", "16GB"), claim("mfu", "60%")});
  EXPECT_DOUBLE_EQ(all.time.value(), 3);
  EXPECT_DOUBLE_EQ(all.ttft.value(), 6);
  EXPECT_EQ(all.tpot, Wanted::any);
  EXPECT_FALSE(wanted({claim("memory", "16GB"), claim("mfu", "60%")}).asks());
  EXPECT_FALSE(asks_for_speed(claim("memory", "16GB")));
  EXPECT_TRUE(asks_for_speed(claim("tpot", "16ms")));
}

TEST(Deployment, ReadsAsASentenceAndACommand) {
  Deployment deployment;
  deployment.file = "a.yaml";
  deployment.wanted = {"iteration"};
  deployment.limits.time = Seconds(0.5);
  EXPECT_EQ(verdict_text(deployment), "does not do what iteration claims");
  EXPECT_EQ(outcome_text(deployment), "nothing with up to 3 changes fits");
  EXPECT_EQ(command(deployment), "");
  search::Found found;
  found.measurement.time = Seconds(0.75);
  found.measurement.memory = Bytes(1024.0 * 1024 * 1024);
  deployment.nearest.found = deployment.nearest.as_given = found;
  EXPECT_EQ(changes_text(deployment), "as the document has it");
  EXPECT_EQ(outcome_text(deployment), "750 ms, wanted 500 ms (missed by 50 %); 1 GiB a GPU");
  EXPECT_EQ(command(deployment), "moesim run a.yaml");
  deployment.nearest.found->measurement.time = Seconds(0.25);
  deployment.nearest.changes = {{"tp", "8", "4"}, {"sharding", "zero-1", "zero-2"}};
  deployment.nearest.meets = true;
  deployment.wanted.emplace_back("throughput");
  deployment.assignments = {"parallel={tp: 4}", "training.sharding=zero-2"};
  EXPECT_EQ(verdict_text(deployment), "does what iteration, throughput claim");
  EXPECT_EQ(changes_text(deployment), "tp 8 to 4, sharding zero-1 to zero-2");
  EXPECT_EQ(outcome_text(deployment), "250 ms, wanted 500 ms; 750 ms as the document has it; 1 GiB a GPU");
  EXPECT_EQ(command(deployment), "moesim run a.yaml --set 'parallel={tp: 4}' --set training.sharding=zero-2");
  deployment.nearest.as_given.reset();
  EXPECT_EQ(outcome_text(deployment), "250 ms, wanted 500 ms; as the document has it, it does not fit; 1 GiB a GPU");
}

} // namespace
} // namespace moesim::audit
