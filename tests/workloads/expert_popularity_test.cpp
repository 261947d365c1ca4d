#include "workloads/expert_popularity.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::AllOf;
using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Pointwise;

using Values = std::vector<double>;

MoeSpec moe_of(std::int64_t experts, std::int64_t per_token, std::int64_t groups = 1,
               std::int64_t groups_per_token = 1) {
  return {
      .num_experts = experts, .experts_per_token = per_token, .groups = groups, .groups_per_token = groups_per_token};
}

Values popularity(const RoutingModel& routing, std::int64_t experts, std::int64_t iteration = 0,
                  std::int64_t layer = 0) {
  return expert_popularity(routing, moe_of(experts, 1), iteration, layer, 0);
}

double mean(const Values& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const Values& values) {
  double squares = 0;
  for (const double value : values)
    squares += (value - mean(values)) * (value - mean(values));
  return std::sqrt(squares / static_cast<double>(values.size()));
}

double measured_correlation(const Values& a, const Values& b) {
  Values products;
  for (std::size_t i = 0; i < a.size(); ++i)
    products.push_back((a[i] - mean(a)) * (b[i] - mean(b)));
  return mean(products) / deviation(a) / deviation(b);
}

// Place of each in the order of size.
Values ranks_of(const Values& values) {
  Values ranks;
  for (const double value : values)
    ranks.push_back(static_cast<double>(std::ranges::count_if(values, [&](double other) { return other < value; })));
  return ranks;
}

Values logarithms(Values values) {
  std::ranges::transform(values, values.begin(), [](double value) { return std::log(value); });
  return values;
}

TEST(ExpertPopularity, ZipfHasItsClosedForm) {
  for (const double exponent : {0.5, 1.0, 1.5}) {
    const Values shares = popularity({.type = RoutingType::Zipf, .exponent = exponent}, 64);
    double harmonic = 0; // H_{E,s}
    for (int rank = 1; rank <= 64; ++rank)
      harmonic += std::pow(rank, -exponent);
    EXPECT_NEAR(std::ranges::max(shares) / mean(shares), 64 / harmonic, 1e-9);
    EXPECT_NEAR(std::ranges::min(shares), std::pow(64, -exponent) / harmonic, 1e-12);
    EXPECT_NEAR(mean(shares), 1.0 / 64, 1e-15);
  }
}

TEST(ExpertPopularity, ZipfWithoutExponentIsUniform) {
  EXPECT_EQ(popularity({.type = RoutingType::Zipf, .exponent = 0}, 60), popularity({}, 60));
  EXPECT_TRUE(is_balanced({.type = RoutingType::Zipf, .exponent = 0}));
  EXPECT_FALSE(is_balanced({.type = RoutingType::Zipf, .exponent = 0, .drift = 0.1}));
  EXPECT_FALSE(is_balanced({.counts = TokenCounts::Sampled}));
}

// A share of Dirichlet(a, ..., a) over E has mean 1/E and the coefficient of variation sqrt((E - 1) / (E a + 1)); over
// 400 layers of 32 experts it is measured to a few percent.
TEST(ExpertPopularity, DirichletHasItsVariation) {
  for (const double alpha : {0.1, 0.5, 2.0, 50.0}) {
    double squares = 0;
    for (std::int64_t layer = 0; layer < 400; ++layer)
      for (const double share : popularity({.type = RoutingType::Dirichlet, .alpha = alpha}, 32, 0, layer))
        squares += (share * 32 - 1) * (share * 32 - 1) / (400 * 32);
    const double expected = std::sqrt(31 / (32 * alpha + 1));
    EXPECT_NEAR(std::sqrt(squares) / expected, 1, 0.05) << alpha;
  }
}

TEST(ExpertPopularity, DirichletHoldsAtItsSmallestAlpha) {
  for (std::int64_t layer = 0; layer < 300; ++layer)
    EXPECT_NEAR(mean(popularity({.type = RoutingType::Dirichlet, .alpha = 0.01}, 2, 0, layer)), 0.5, 1e-12);
}

TEST(ExpertPopularity, HotExpertsShareTheirPart) {
  Values shares = popularity({.type = RoutingType::Hot, .hot_share = 0.3, .hot_experts = 3}, 10);
  std::ranges::sort(shares, std::greater());
  EXPECT_THAT(shares, Pointwise(DoubleNear(1e-12), Values{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}));
  shares = popularity({.type = RoutingType::Hot, .hot_share = 0.5, .hot_experts = 1}, 6);
  std::ranges::sort(shares, std::greater());
  EXPECT_THAT(shares, Pointwise(DoubleNear(1e-12), Values{0.5, 0.1, 0.1, 0.1, 0.1, 0.1}));
}

TEST(ExpertPopularity, SeedsReproduceAndDiffer) {
  const RoutingModel routing{.type = RoutingType::Zipf, .drift = 0.1, .seed = 5};
  RoutingModel other = routing;
  other.seed = 6;
  EXPECT_EQ(popularity(routing, 64, 3, 2), popularity(routing, 64, 3, 2));
  EXPECT_NE(popularity(routing, 64, 3, 2), popularity(other, 64, 3, 2));
  EXPECT_NE(popularity(routing, 64, 3, 2), popularity(routing, 64, 3, 1));
}

// The Gaussian copula's correlation is that of the normal variates; of their ranks it is 6/pi asin(r/2) (Pearson,
// 1907). 64 layers of 256 experts: an error of about 1/sqrt(64 * 256).
TEST(ExpertPopularity, LayersAreCorrelatedAsAskedFor) {
  for (const double correlation : {0.0, 0.4, 0.8}) {
    double zipf = 0;
    for (std::int64_t layer = 0; layer < 128; layer += 2) {
      const RoutingModel routing{.type = RoutingType::Zipf, .correlation = correlation};
      zipf += measured_correlation(ranks_of(popularity(routing, 256, 0, layer)),
                                   ranks_of(popularity(routing, 256, 0, layer + 1))) /
              64;
    }
    EXPECT_NEAR(zipf, 6 / std::numbers::pi * std::asin(correlation / 2), 0.03) << correlation;
  }
  for (const RoutingType type : {RoutingType::Zipf, RoutingType::Dirichlet, RoutingType::Hot}) {
    const RoutingModel same{.type = type, .drift = 0.2, .correlation = 1};
    EXPECT_EQ(popularity(same, 32, 9, 0), popularity(same, 32, 9, 7));
  }
}

// Between iterations a and b the logarithm of a popularity changes by N(0, drift^2 (b - a)), up to what all have in
// common: whichever a and b, the walk's steps are independent.
TEST(ExpertPopularity, DriftsAsARandomWalk) {
  const RoutingModel routing{.drift = 0.05};
  const auto change = [&](std::int64_t from, std::int64_t to) {
    const Values before = logarithms(popularity(routing, 4096, from));
    Values after = logarithms(popularity(routing, 4096, to));
    for (std::size_t i = 0; i < after.size(); ++i)
      after[i] -= before[i];
    return after;
  };
  for (const auto& [from, to] :
       {std::pair{0, 1}, {0, 7}, {5, 6}, {6, 7}, {7, 8}, {3, 12}, {63, 64}, {64, 65}, {100, 164}, {1000, 1001}})
    EXPECT_NEAR(deviation(change(from, to)) / (0.05 * std::sqrt(to - from)), 1, 0.05) << from << " to " << to;
  EXPECT_NEAR(measured_correlation(change(4, 5), change(5, 6)), 0, 0.05);
  EXPECT_NEAR(measured_correlation(change(0, 8), change(8, 9)), 0, 0.05);
  EXPECT_EQ(popularity(routing, 16, 0), popularity({}, 16));
}

TEST(ExpertPopularity, DriftStaysFinite) {
  const Values shares = popularity({.type = RoutingType::Zipf, .drift = 10}, 64, 1'000'000);
  EXPECT_NEAR(mean(shares), 1.0 / 64, 1e-12);
}

TEST(InclusionProbabilities, AreInProportionWhereTheyCan) {
  EXPECT_THAT(inclusion_probabilities({0.4, 0.3, 0.2, 0.1}, moe_of(4, 2)),
              Pointwise(DoubleNear(1e-12), Values{0.8, 0.6, 0.4, 0.2}));
  // 0.6 x 2 is more than 1: the others share the second expert of each token in proportion.
  EXPECT_THAT(inclusion_probabilities({0.2, 0.6, 0.1, 0.1}, moe_of(4, 2)),
              Pointwise(DoubleNear(1e-12), Values{0.5, 1, 0.25, 0.25}));
  EXPECT_THAT(inclusion_probabilities({1, 0, 0, 0, 0}, moe_of(5, 2)),
              Pointwise(DoubleNear(1e-12), Values{1, 0.25, 0.25, 0.25, 0.25}));
}

TEST(InclusionProbabilities, HoldForAllExpertsAndForOne) {
  EXPECT_THAT(inclusion_probabilities({0.9, 0.1, 0}, moe_of(3, 3)), ElementsAre(1, 1, 1));
  EXPECT_THAT(inclusion_probabilities({1}, moe_of(1, 1)), ElementsAre(1));
}

// Of 4 groups a token meets 2, with 2 of its 4 experts in each.
TEST(InclusionProbabilities, KeepToTheGroupLimit) {
  const MoeSpec moe = moe_of(16, 4, 4, 2);
  EXPECT_THAT(inclusion_probabilities(popularity({}, 16), moe), Each(DoubleNear(0.25, 1e-12)));
  Values hot(16, 0.0);
  hot[0] = 0.5;
  hot[1] = 0.5;
  const Values inclusion = inclusion_probabilities(hot, moe);
  EXPECT_THAT((Values{inclusion.begin(), inclusion.begin() + 4}), ElementsAre(1, 1, 0, 0));
  EXPECT_THAT((Values{inclusion.begin() + 4, inclusion.end()}), Each(DoubleNear(2.0 / 12, 1e-12)));
}

TEST(InclusionProbabilities, SumToTopKAndAreProbabilities) {
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (const auto& moe : {moe_of(8, 1), moe_of(8, 2), moe_of(64, 8), moe_of(256, 8, 8, 4), moe_of(12, 4, 6, 3),
                            moe_of(24, 5, 4, 2), moe_of(8, 8, 4, 4)}) {
      const RoutingModel routing{.type = RoutingType::Dirichlet, .alpha = 0.05, .seed = seed};
      const Values inclusion = inclusion_probabilities(expert_popularity(routing, moe, 0, 0, 0), moe);
      ASSERT_THAT(inclusion, Each(AllOf(Ge(0), Le(1 + 1e-12))));
      ASSERT_NEAR(std::accumulate(inclusion.begin(), inclusion.end(), 0.0), static_cast<double>(moe.experts_per_token),
                  1e-9);
      double most_of_groups = 0; // a token meets the best expert of no more groups than it meets
      for (std::int64_t group = 0; group < moe.groups; ++group) {
        const auto first = inclusion.begin() + group * (moe.num_experts / moe.groups);
        most_of_groups += *std::max_element(first, first + moe.num_experts / moe.groups);
      }
      ASSERT_LE(most_of_groups, static_cast<double>(moe.groups == 1 ? 1 : moe.groups_per_token) + 1e-9);
    }
}

TEST(RoutingProblems, SayWhatWouldBeRight) {
  ModelSpec model;
  model.num_layers = 2;
  model.moe = moe_of(8, 2);
  EXPECT_THAT(problems(RoutingModel{}, model), IsEmpty());
  const auto only_problem = [&](const RoutingModel& routing) {
    const std::vector<RoutingProblem> all = problems(routing, model);
    return all.size() == 1 ? all[0].field + ": " + all[0].message : "";
  };
  EXPECT_EQ(only_problem({.type = RoutingType::Zipf, .exponent = -1}), "exponent: is -1; use 0 to 10");
  EXPECT_EQ(only_problem({.type = RoutingType::Zipf, .exponent = NAN}), "exponent: is nan; use 0 to 10");
  EXPECT_EQ(only_problem({.type = RoutingType::Dirichlet, .alpha = 0}), "alpha: is 0; use 0.01 to 1e+06");
  EXPECT_EQ(only_problem({.type = RoutingType::Hot, .hot_share = 0.6}),
            "hot_share: is 0.6; with hot_experts: 1 and 2 experts a token, use 0 to 0.5");
  EXPECT_EQ(only_problem({.type = RoutingType::Hot, .hot_experts = 8}), "hot_experts: is 8; of 8 experts use 1 to 7");
  EXPECT_EQ(only_problem({.correlation = 1.5}), "correlation: is 1.5; use 0 to 1");
  EXPECT_EQ(only_problem({.drift = -0.1}), "drift: is -0.1; use 0 to 10");
  EXPECT_THAT(only_problem({.type = RoutingType::Trace}), HasSubstr("file: is missing"));
}

} // namespace
} // namespace moesim::workloads
