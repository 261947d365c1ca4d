// Tokens to experts that are not as well liked: equal ones cost what they do without a matrix, and the fullest rank
// sets the pace. How many copies a place gets is compared with enumeration.
#include "simulator/cost/uneven_exchange.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "simulator/cost/deepep_copies.hpp"
#include "tests/cost/test_cluster.hpp"
#include "tests/cost/test_group.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;
using graph::TokenMatrix;
using platforms::Cluster;

constexpr double tokens = 128;
const graph::TokenRouting top_3_of_16{
    .experts = 16, .per_token = 3, .groups = 1, .groups_per_token = 1, .token = Bytes(10)};

// Two experts on each of eight members, with these chances that a token goes to each.
std::shared_ptr<TokenMatrix> matrix_of(const std::vector<double>& chances, std::size_t members = 8) {
  auto matrix = std::make_shared<TokenMatrix>();
  matrix->members = members;
  matrix->slots = chances.size() / members;
  matrix->tokens.assign(members, tokens);
  for (std::size_t source = 0; source < members; ++source)
    for (const double chance : chances)
      matrix->copies.push_back(tokens * chance);
  return matrix;
}

Call call_of(Kind kind, Algorithm algorithm, Fidelity fidelity) {
  return {.kind = kind,
          .size = tokens * top_3_of_16.per_token * top_3_of_16.token,
          .routing = kind == Kind::AllToAll ? graph::TokenRouting{} : top_3_of_16,
          .algorithm = algorithm,
          .fidelity = fidelity};
}

Call with(Call call, std::shared_ptr<const TokenMatrix> matrix) {
  call.tokens = {.matrix = std::move(matrix), .returns = call.kind == Kind::Combine, .copy = top_3_of_16.token};
  return call;
}

TEST(UnevenExchange, OfEqualExpertsCostsWhatItDoesWithoutAMatrix) {
  Cluster cluster = test_cluster(2, 4);
  cluster.protocols.own_part = 0.4;
  cluster.protocols.all_to_all_efficiency = 0.8;
  cluster.gpu.communication.ep = 2;
  cluster.protocols.deepep.dispatch = {.latency = Seconds(3), .token = Seconds(0.1), .bandwidth = BytesPerSecond(70)};
  cluster.protocols.deepep.low_latency_combine = {.nic_latency = Seconds(1), .expert = Seconds(0.2)};
  const auto matrix = matrix_of(std::vector<double>(16, 3.0 / 16));
  for (const Cluster& of : {cluster, test_cluster(1, 8), test_cluster(8, 1)})
    for (const Fidelity fidelity : {Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow})
      for (const auto& [kind, algorithm] :
           {std::pair(Kind::AllToAll, Algorithm::Direct), std::pair(Kind::Dispatch, Algorithm::DeepEp),
            std::pair(Kind::Combine, Algorithm::DeepEp), std::pair(Kind::Dispatch, Algorithm::DeepEpLowLatency),
            std::pair(Kind::Combine, Algorithm::DeepEpLowLatency)}) {
        const Call call = call_of(kind, algorithm, fidelity);
        const std::vector<RankId> members =
            block(static_cast<std::uint32_t>(of.nodes), static_cast<std::uint32_t>(of.gpus_per_node), of);
        const double without = lone_time(call, members, of).value();
        EXPECT_NEAR(lone_time(with(call, matrix), members, of).value(), without, 1e-4 * without)
            << name_of(kind) << ' ' << name_of(algorithm) << ' ' << name_of(fidelity);
      }
}

// An expert with four times the tokens of each other, alone on its GPU, which has a node to itself.
TEST(UnevenExchange, TheFullestRankSetsThePaceBothWays) {
  const Cluster cluster = test_cluster(8, 1);
  std::vector<double> chances(8, 2.0 / 11);
  chances[5] = 8.0 / 11;
  const std::vector<RankId> members = block(8, 1, cluster);
  for (const Fidelity fidelity : {Fidelity::Analytic, Fidelity::Fluid, Fidelity::Flow})
    for (const bool returns : {false, true}) {
      Call call = with(call_of(Kind::AllToAll, Algorithm::Auto, fidelity), matrix_of(chances));
      call.tokens.returns = returns;
      const execution::Communication sent = communication(call, members, cluster);
      EXPECT_NEAR(lone_time(call, members, cluster).value() - sent.latency.value(), 7 * tokens * 8 / 11 * 10 / 10,
                  1e-9);
    }
}

TEST(UnevenExchange, WhatIsSentComesBack) {
  const Cluster cluster = test_cluster(2, 4);
  std::vector<double> chances(16, 0.1);
  chances[3] = 0.9;
  chances[4] = 0.7;
  const auto matrix = matrix_of(chances);
  for (const Algorithm algorithm : {Algorithm::DeepEp, Algorithm::DeepEpLowLatency}) {
    const auto there = load_of(communication(with(call_of(Kind::Dispatch, algorithm, Fidelity::Fluid), matrix),
                                             block(2, 4, cluster), cluster));
    const auto back = load_of(
        communication(with(call_of(Kind::Combine, algorithm, Fidelity::Fluid), matrix), block(2, 4, cluster), cluster));
    for (std::uint32_t gpu = 0; gpu < 8; ++gpu)
      for (const auto& [up, down] : {std::pair(platforms::LinkKind::NicUp, platforms::LinkKind::NicDown),
                                     std::pair(platforms::LinkKind::NvlinkUp, platforms::LinkKind::NvlinkDown)})
        EXPECT_NEAR(there.at(link_of(cluster, gpu, up)), back.at(link_of(cluster, gpu, down)), 1e-9) << gpu;
  }
}

TEST(UnevenExchange, TheReactionTimeComesFirst) {
  const Cluster cluster = test_cluster(8, 1);
  Call call =
      with(call_of(Kind::AllToAll, Algorithm::Auto, Fidelity::Fluid), matrix_of(std::vector<double>(8, 3.0 / 8)));
  const double before = lone_time(call, block(8, 1, cluster), cluster).value();
  call.tokens.reaction = Seconds(7);
  EXPECT_DOUBLE_EQ(lone_time(call, block(8, 1, cluster), cluster).value(), before + 7);
}

// Pairs of experts drawn with weights, by enumeration: inclusion probabilities, and the chance to hit a pair of them.
struct Pairs {
  std::vector<double> weights;

  [[nodiscard]] double chance(const std::vector<std::size_t>& place) const {
    double all = 0;
    double hit = 0;
    for (std::size_t a = 0; a < weights.size(); ++a)
      for (std::size_t b = a + 1; b < weights.size(); ++b) {
        all += weights[a] * weights[b];
        if (std::ranges::count(place, a) + std::ranges::count(place, b) > 0)
          hit += weights[a] * weights[b];
      }
    return hit / all;
  }
};

// Independent inclusion would miss the chance of equal experts by some percent.
TEST(DeepEpCopies, AreThoseOfADrawWithoutRepetition) {
  const Cluster cluster = test_cluster(1, 4);
  const graph::TokenRouting routing{
      .experts = 8, .per_token = 2, .groups = 1, .groups_per_token = 1, .token = Bytes(1)};
  const std::vector<RankId> members = block(1, 4, cluster);
  const Group group(members, cluster);
  for (const auto& [weights, tolerance] :
       {std::pair(std::vector<double>(8, 1), 1e-4), std::pair(std::vector<double>{8, 4, 3, 2, 2, 1, 1, 1}, 1e-3)}) {
    const Pairs pairs{weights};
    std::vector<double> chances;
    for (std::size_t expert = 0; expert < 8; ++expert)
      chances.push_back(pairs.chance({expert}));
    const TokensThere there = tokens_there(*matrix_of(chances, 4), routing, members, group);
    for (std::size_t member = 0; member < 4; ++member) {
      const double expected = tokens * pairs.chance({2 * member, 2 * member + 1});
      EXPECT_NEAR(there.member[0][member], expected, tolerance * expected);
      if (weights[0] == 1) {
        const double independent = tokens * (1 - std::pow(1 - chances[0], 2));
        EXPECT_GT(expected - independent, 0.01 * expected);
      }
    }
    EXPECT_NEAR(there.node[0][0], tokens, 1e-3);
  }
}

TEST(DeepEpCopies, AGroupLimitOfEqualExpertsIsTheClosedForm) {
  const Cluster cluster = test_cluster(4, 2);
  const graph::TokenRouting routing{
      .experts = 16, .per_token = 4, .groups = 4, .groups_per_token = 2, .token = Bytes(1)};
  const std::vector<RankId> members = block(4, 2, cluster);
  const TokensThere there =
      tokens_there(*matrix_of(std::vector<double>(16, 4.0 / 16)), routing, members, Group(members, cluster));
  EXPECT_NEAR(there.node[0][3], tokens * even_chance(routing, 4), 1e-4);
  EXPECT_NEAR(there.member[0][5], tokens * even_chance(routing, 2), 1e-4);
}

} // namespace
} // namespace moesim::cost
