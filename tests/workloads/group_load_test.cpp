#include "workloads/group_load.hpp"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>

namespace moesim::workloads {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t one = parts_per_copy;

const MoeSpec small{.num_experts = 16, .experts_per_token = 2};
const RoutingModel zipf{.type = RoutingType::Zipf, .exponent = 1};

std::int64_t sum(const Parts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

schedulers::ExpertPlacement placement_of(const LoadOptions& options, const MoeSpec& moe, std::int64_t ranks) {
  return placement_plan(options, moe, placement_shape(options, moe, ranks, 1), 0).after;
}

// Layer 0, micro-batch 0; equally many tokens from each of the ranks.
GroupLoad load_of(const LoadOptions& options, const MoeSpec& moe, std::int64_t ranks, std::int64_t tokens) {
  return group_load(options, moe, {}, placement_of(options, moe, ranks), layer_inclusion(options, moe, 0, 0),
                    {ranks, static_cast<double>(tokens)});
}

std::int64_t most_received(const LoadOptions& options) {
  return std::ranges::max(load_of(options, small, 4, 512).received());
}

// Every way to balance, with what it needs.
std::vector<LoadOptions> all_options() {
  std::vector<LoadOptions> all;
  for (const Balancing balancing : {Balancing::None, Balancing::Eplb, Balancing::Periodic, Balancing::Predictive,
                                    Balancing::WorkStealing, Balancing::Reroute})
    for (const TokenCounts counts : {TokenCounts::Expected, TokenCounts::Sampled})
      for (const bool pad : {false, true})
        for (const std::int64_t redundant : {0, 8}) {
          LoadOptions options;
          options.routing = {.type = RoutingType::Zipf, .exponent = 1, .drift = 0.1, .counts = counts};
          options.balancing = balancing;
          options.redundant_experts = redundant;
          options.iteration = 3;
          if (balancing == Balancing::Reroute || pad)
            options.capacity = {.factor = 1.2, .pad_to_capacity = pad};
          all.push_back(options);
        }
  return all;
}

TEST(GroupLoad, RoutedIsComputedAndDropped) {
  for (const LoadOptions& options : all_options())
    for (const std::int64_t tokens : {0, 1, 100, 512}) {
      const GroupLoad load = load_of(options, small, 8, tokens);
      const double rounded = options.routing.counts == TokenCounts::Sampled ? 0 : 8 * 16 / 2; // of each count
      ASSERT_NEAR(static_cast<double>(sum(load.routed)), static_cast<double>(8 * tokens * 2 * one), rounded);
      ASSERT_EQ(sum(load.computed) + sum(load.dropped), sum(load.routed));
      for (std::size_t expert = 0; expert < 16 && options.balancing != Balancing::Reroute; ++expert)
        ASSERT_EQ(load.computed[expert] + load.dropped[expert], load.routed[expert]);
    }
}

TEST(GroupLoad, SentIsReceived) {
  for (const LoadOptions& options : all_options()) {
    const GroupLoad load = load_of(options, small, 8, 100);
    Parts columns(8);
    for (const Parts& row : load.sent())
      std::ranges::transform(columns, row, columns.begin(), std::plus());
    ASSERT_EQ(columns, load.received());
    if (!options.capacity.pad_to_capacity) { // what replicas share is rounded
      ASSERT_NEAR(static_cast<double>(sum(columns)), static_cast<double>(sum(load.computed)), 8 * 16);
    }
    for (const ExpertRows& rows : load.rows)
      ASSERT_THAT(rows.from, Each(::testing::Ge(0)));
  }
}

// A count that is not whole is not made whole: only products and buffers are, of all sources together.
TEST(GroupLoad, MeansMayBeFractions) {
  const GroupLoad load = load_of({.routing = zipf}, small, 4, 3);
  EXPECT_NE(load.rows.front().from.front() % one, 0);
  EXPECT_NEAR(static_cast<double>(sum(load.received())), 4 * 3 * 2 * one, 4 * 16);
}

TEST(GroupLoad, UniformIsEven) {
  EXPECT_THAT(load_of({}, small, 8, 64).received(), Each(128 * one));
  for (const Parts& row : load_of({}, small, 8, 64).sent())
    EXPECT_THAT(row, Each(16 * one));
}

TEST(GroupLoad, BalancersLowerTheLargestLoad) {
  LoadOptions options;
  options.routing = zipf;
  const std::int64_t unbalanced = most_received(options);
  options.balancing = Balancing::Eplb;
  EXPECT_LT(most_received(options), unbalanced);
  const std::int64_t without_replicas = most_received(options);
  options.redundant_experts = 16;
  EXPECT_LT(most_received(options), without_replicas);
  options = {.routing = zipf, .balancing = Balancing::Periodic, .iteration = 1};
  EXPECT_LT(most_received(options), unbalanced);
  options = {.routing = zipf, .balancing = Balancing::WorkStealing};
  EXPECT_LE(static_cast<double>(most_received(options)), 1.1 * 1024 * one + 1);
  options = {.routing = zipf, .capacity = {.factor = 1}, .balancing = Balancing::Reroute};
  EXPECT_NEAR(static_cast<double>(most_received(options)), 1024 * one, 4 * 16);
}

TEST(GroupLoad, PeriodicRebalancingMovesExpertsOnce) {
  LoadOptions options;
  options.routing = zipf;
  options.balancing = Balancing::Periodic;
  const auto moves = [&](std::int64_t iteration) {
    options.iteration = iteration;
    return placement_plan(options, small, placement_shape(options, small, 4, 1), 0).moves;
  };
  EXPECT_THAT(moves(0), IsEmpty());
  EXPECT_THAT(moves(1), Not(IsEmpty()));
  EXPECT_THAT(moves(2), IsEmpty()); // nothing drifts
}

TEST(GroupLoad, HoldsForOneRankAndForOneExpert) {
  for (const Balancing balancing : {Balancing::None, Balancing::Eplb, Balancing::WorkStealing}) {
    LoadOptions options;
    options.routing = zipf;
    options.balancing = balancing;
    EXPECT_NEAR(static_cast<double>(load_of(options, small, 1, 100).received()[0]), 200 * one, 16);
    options.redundant_experts = 3;
    EXPECT_THAT(load_of(options, {.num_experts = 1, .experts_per_token = 1}, 4, 100).received(), Each(100 * one));
  }
}

TEST(GroupLoad, AnExpertCanBeWithoutTokens) {
  const MoeSpec moe{.num_experts = 4, .experts_per_token = 1};
  LoadOptions options;
  options.routing = {.type = RoutingType::Hot, .hot_share = 1, .hot_experts = 1};
  const GroupLoad load = load_of(options, moe, 4, 60);
  Parts received = load.received();
  std::ranges::sort(received);
  EXPECT_THAT(received, ::testing::ElementsAre(0, 0, 0, 240 * one));
}

TEST(GroupLoad, PlansATraceByItsMean) {
  const auto trace = std::make_shared<RoutingTrace>(RoutingTrace{
      .iterations = {0, 0}, .layers = {0, 0}, .micro_batches = {0, 1}, .experts = 2, .tokens = {1, 3, 3, 1}});
  LoadOptions options;
  options.routing = {.type = RoutingType::Trace, .trace = trace};
  const MoeSpec moe{.num_experts = 2, .experts_per_token = 1};
  EXPECT_THAT(mean_inclusion(options, moe, 0, 0), Each(0.5));
  EXPECT_THAT(layer_inclusion(options, moe, 0, 1), ::testing::ElementsAre(0.75, 0.25));
}

} // namespace
} // namespace moesim::workloads
