#include "workloads/expert_routing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

using Counts = std::vector<std::int64_t>;

MoeSpec moe_of(std::int64_t experts, std::int64_t per_token, std::int64_t groups = 1,
               std::int64_t groups_per_token = 1) {
  return {
      .num_experts = experts, .experts_per_token = per_token, .groups = groups, .groups_per_token = groups_per_token};
}

std::int64_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::vector<RoutingModel> all_models() {
  std::vector<RoutingModel> models;
  for (const TokenCounts counts : {TokenCounts::Expected, TokenCounts::Sampled}) {
    models.push_back({.counts = counts});
    models.push_back({.type = RoutingType::Zipf, .exponent = 1.5, .counts = counts});
    models.push_back({.type = RoutingType::Dirichlet, .alpha = 0.05, .drift = 0.5, .counts = counts});
    models.push_back({.type = RoutingType::Hot, .hot_share = 0.125, .counts = counts});
  }
  return models;
}

TEST(ExpertRouting, ConservesTokensAndMeetsNoExpertTwice) {
  for (const RoutingModel& routing : all_models())
    for (const auto& moe : {moe_of(8, 1), moe_of(8, 2), moe_of(60, 4), moe_of(256, 8), moe_of(256, 8, 8, 4),
                            moe_of(160, 6, 8, 3), moe_of(8, 8), moe_of(1, 1), moe_of(6, 3, 3, 2)})
      for (const std::int64_t tokens : {0, 1, 2, 3, 7, 64, 100, 4096})
        for (std::int64_t source = 0; source < 3; ++source) {
          if (moe.num_experts == 1 && routing.type == RoutingType::Hot)
            continue;
          const RoutingPlace place{.iteration = 4, .layer = 3, .micro_batch = 2, .source = source, .sources = 3};
          const Counts copies = expert_copies(routing, moe, place, tokens);
          ASSERT_EQ(std::ssize(copies), moe.num_experts);
          ASSERT_EQ(sum(copies), tokens * moe.experts_per_token);
          ASSERT_THAT(copies, Each(AllOf(Ge(0), Le(tokens))));
        }
}

TEST(ExpertRouting, UniformIsEvenWhereItDivides) {
  for (const auto& moe : {moe_of(8, 2), moe_of(160, 6), moe_of(256, 8, 8, 4), moe_of(60, 4)})
    for (std::int64_t source = 0; source < 7; ++source)
      EXPECT_THAT(expert_copies({}, moe, {.source = source, .sources = 7}, moe.num_experts * 3),
                  Each(3 * moe.experts_per_token));
}

// Where it does not, expected counts spread what is over: 3 tokens with 8 copies each over 256 experts reach every
// tenth or eleventh, not the first 24.
TEST(ExpertRouting, ExpectedCountsSpreadOverExperts) {
  const Counts copies = expert_copies({}, moe_of(256, 8), {}, 3);
  for (std::size_t first = 0; first < 256; first += 32)
    EXPECT_EQ(std::accumulate(copies.begin() + static_cast<std::ptrdiff_t>(first),
                              copies.begin() + static_cast<std::ptrdiff_t>(first + 32), std::int64_t{0}),
              3);
}

TEST(ExpertRouting, ExpectedCountsAreTheMeanForEachSourceAndForAll) {
  for (const auto& moe : {moe_of(64, 8), moe_of(256, 8, 8, 4), moe_of(7, 2)}) {
    const RoutingModel routing{.type = RoutingType::Zipf, .exponent = 1};
    const std::vector<double> inclusion = inclusion_probabilities(expert_popularity(routing, moe, 0, 0, 0), moe);
    constexpr std::int64_t sources = 5;
    constexpr std::int64_t tokens = 133;
    Counts total(inclusion.size());
    for (std::int64_t source = 0; source < sources; ++source) {
      const Counts copies = expert_copies(routing, moe, {.source = source, .sources = sources}, tokens);
      for (std::size_t expert = 0; expert < copies.size(); ++expert) {
        EXPECT_NEAR(static_cast<double>(copies[expert]), inclusion[expert] * tokens, 1 + 1e-6);
        total[expert] += copies[expert];
      }
    }
    for (std::size_t expert = 0; expert < total.size(); ++expert)
      EXPECT_NEAR(static_cast<double>(total[expert]), inclusion[expert] * tokens * sources, 1 + 1e-6);
  }
}

// Each token meets expert e with probability p_e: the count has the mean T p and the variance T p (1 - p).
TEST(ExpertRouting, SampledCountsHaveTheirMeanAndVariance) {
  for (const auto& moe : {moe_of(16, 4), moe_of(16, 4, 4, 2)}) {
    const RoutingModel routing{.type = RoutingType::Zipf, .exponent = 0.7, .counts = TokenCounts::Sampled};
    const std::vector<double> inclusion = inclusion_probabilities(expert_popularity(routing, moe, 0, 0, 0), moe);
    constexpr int draws = 4000;
    constexpr std::int64_t tokens = 200;
    std::vector<double> means(16);
    std::vector<double> squares(16);
    for (int draw = 0; draw < draws; ++draw) {
      const Counts copies = expert_copies(inclusion, routing, moe, {.micro_batch = draw}, tokens);
      for (std::size_t expert = 0; expert < 16; ++expert) {
        const double off = static_cast<double>(copies[expert]) - inclusion[expert] * tokens;
        means[expert] += off / draws;
        squares[expert] += off * off / draws;
      }
    }
    const auto variance = [](double p) { return tokens * p * (1 - p); };
    double all = 0;
    for (const double p : inclusion)
      all += variance(p);
    for (std::size_t expert = 0; expert < 16; ++expert) {
      const double alone = variance(inclusion[expert]);
      EXPECT_NEAR(means[expert], 0, 4 * std::sqrt(alone / draws) + 0.05);
      // That the sum is fixed takes an expert's part of the variance of all; so does, within a group, the group's.
      EXPECT_NEAR(squares[expert] / alone, 1 - alone / all, moe.groups == 1 ? 0.09 : 0.35) << expert;
    }
  }
}

TEST(ExpertRouting, PlacesAreIndependentOfTheOrderOfCalls) {
  const RoutingModel routing{.type = RoutingType::Zipf, .counts = TokenCounts::Sampled};
  const MoeSpec moe = moe_of(64, 8);
  const auto at = [&](const RoutingPlace& place) { return expert_copies(routing, moe, place, 512); };
  const Counts first = at({.layer = 1, .micro_batch = 2, .source = 3, .sources = 8});
  EXPECT_NE(at({.layer = 1, .micro_batch = 2, .source = 4, .sources = 8}), first);
  EXPECT_NE(at({.layer = 1, .micro_batch = 3, .source = 3, .sources = 8}), first);
  EXPECT_NE(at({.layer = 1, .micro_batch = 2, .source = 3, .sources = 8, .group = 1}), first);
  EXPECT_NE(at({.iteration = 1, .layer = 1, .micro_batch = 2, .source = 3, .sources = 8}), first);
  EXPECT_EQ(at({.layer = 1, .micro_batch = 2, .source = 3, .sources = 8}), first);
}

TEST(ExpertRouting, GroupLimitsHoldForTokensOfASample) {
  // One token of 4 copies in 2 of 4 groups.
  const MoeSpec moe = moe_of(16, 4, 4, 2);
  const RoutingModel routing{.type = RoutingType::Dirichlet, .alpha = 0.5, .counts = TokenCounts::Sampled};
  for (std::int64_t micro_batch = 0; micro_batch < 500; ++micro_batch) {
    const Counts copies = expert_copies(routing, moe, {.micro_batch = micro_batch}, 1);
    int groups = 0;
    for (auto first = copies.begin(); first != copies.end(); first += 4)
      groups += std::accumulate(first, first + 4, 0) > 0 ? 1 : 0;
    ASSERT_EQ(groups, 2);
  }
}

TEST(ExpertRouting, ReplaysATrace) {
  const auto trace = std::make_shared<RoutingTrace>(RoutingTrace{.iterations = {0, 1},
                                                                 .layers = {0, 0},
                                                                 .micro_batches = {0, 0},
                                                                 .experts = 4,
                                                                 .tokens = {40, 30, 20, 10, 25, 25, 25, 25}});
  const RoutingModel routing{.type = RoutingType::Trace, .trace = trace};
  const MoeSpec moe = moe_of(4, 2);
  EXPECT_THAT(expert_copies(routing, moe, {}, 50), ElementsAre(40, 30, 20, 10));
  EXPECT_THAT(expert_copies(routing, moe, {.iteration = 1}, 50), ElementsAre(25, 25, 25, 25));
  EXPECT_THAT(expert_copies(routing, moe, {.iteration = 2, .micro_batch = 3}, 50), ElementsAre(40, 30, 20, 10));
}

} // namespace
} // namespace moesim::workloads
