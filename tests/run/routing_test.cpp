// Unequal expert loads through a run: folded equals full, tokens are conserved, and what is slow and full is so because
// of its load.
#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "tests/run/folded_equals_full.hpp"
#include "tests/run/makespan.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using scenario::Scenario;
using workloads::Balancing;
using workloads::Dispatcher;
using workloads::RoutingModel;
using workloads::RoutingType;

const RoutingModel zipf{.type = RoutingType::Zipf, .exponent = 1};
const RoutingModel hot{.type = RoutingType::Hot, .hot_share = 0.4, .hot_experts = 1, .correlation = 1};

// 16 GPUs in two stages; in each, four ranks hold four experts each, and four others replicas of them.
Scenario routed(const RoutingModel& routing, Dispatcher dispatcher = Dispatcher::AllToAll) {
  Scenario scenario = small_scenario();
  scenario.job().sizes = {.tp = 2, .pp = 2, .ep = 4, .dp = 4};
  scenario.job().moe.dispatcher = dispatcher;
  scenario.job().moe.load.routing = routing;
  scenario.training_job().training.global_batch_size = 16;
  return scenario;
}

record::RunRecord ideal_run(const Scenario& scenario) {
  execution::IdealExecutor executor;
  return simulate(scenario, executor, {});
}

double peak_memory(const record::RunRecord& run) {
  double peak = 0;
  for (std::size_t row = 0; row < run.memory.time.size(); ++row) {
    double total = 0;
    for (const std::vector<double>& bytes : run.memory.bytes)
      total += bytes[row];
    peak = std::max(peak, total);
  }
  return peak;
}

class EveryDispatcher : public ::testing::TestWithParam<Dispatcher> {};

TEST_P(EveryDispatcher, FoldedEqualsFull) {
  for (const cost::Fidelity fidelity : {cost::Fidelity::Analytic, cost::Fidelity::Fluid, cost::Fidelity::Flow})
    for (const RoutingModel& routing : {zipf, hot}) {
      Scenario scenario = routed(routing, GetParam());
      scenario.network = cost::same_for_all(fidelity);
      SCOPED_TRACE(resolved_yaml(scenario));
      EXPECT_LE(expect_folded_equals_full(scenario), 8U); // replicas of an expert are alike
    }
}

INSTANTIATE_TEST_SUITE_P(Routing, EveryDispatcher,
                         ::testing::Values(Dispatcher::AllToAll, Dispatcher::AllGather, Dispatcher::DeepEp));

// Splits of the backward, recomputation, halves of the tokens, experts that are cut, and counts that are drawn.
TEST(Routing, FoldedEqualsFullWhateverTheStepsAre) {
  std::vector<Scenario> scenarios(6, routed(zipf));
  scenarios[0].training_job().training.schedule = "zb-h1";
  scenarios[1].training_job().training.recompute = {.granularity = workloads::Recompute::Granularity::Full};
  scenarios[2].training_job().training.overlap.expert = workloads::ExpertOverlap::Chunked;
  scenarios[3].job().sizes = {.tp = 2, .pp = 2, .ep = 2, .etp = 2, .dp = 4};
  scenarios[4].job().moe.load.routing.counts = workloads::TokenCounts::Sampled;
  scenarios[5].job().moe.load.capacity = {.factor = 1.25};
  scenarios[5].training_job().training.overlap.expert = workloads::ExpertOverlap::Passes;
  for (const Scenario& scenario : scenarios) {
    SCOPED_TRACE(resolved_yaml(scenario));
    expect_folded_equals_full(scenario);
  }
}

TEST(Routing, EqualLoadsFoldAndUnequalOnesSplit) {
  const auto classes = [](const Scenario& scenario) {
    Scenario folded = scenario;
    folded.job().sizes = {.pp = 2, .ep = 4, .dp = 8}; // tensor ranks would be told apart by their partners' loads
    folded.symmetry = scenario::Symmetry::Auto;
    return fold(folded).membership.folding.size.size();
  };
  EXPECT_EQ(classes(routed({})), 2U);
  EXPECT_EQ(classes(routed(zipf)), 8U);
  EXPECT_EQ(classes(routed(hot)), 4U); // the rank with the hot expert, and the others
}

// All but equal: what is not marked as even comes out even.
TEST(Routing, BalancedRoutingIsUniform) {
  RoutingModel balanced = zipf;
  balanced.exponent = 1e-15;
  for (const Dispatcher dispatcher : {Dispatcher::AllToAll, Dispatcher::AllGather, Dispatcher::DeepEp}) {
    const double uniform = ideal_time(routed({}, dispatcher)).value();
    EXPECT_NEAR(ideal_time(routed(balanced, dispatcher)).value(), uniform, 1e-9 * uniform);
  }
}

TEST(Routing, SkewCostsTimeAndMemory) {
  const record::RunRecord uniform = ideal_run(routed({}));
  double before = uniform.figures.makespan;
  for (const double exponent : {0.5, 1.0, 1.5}) {
    RoutingModel routing = zipf;
    routing.exponent = exponent;
    const record::RunRecord run = ideal_run(routed(routing));
    EXPECT_GT(run.figures.makespan, before) << exponent;
    EXPECT_GT(peak_memory(run), peak_memory(uniform)) << exponent;
    before = run.figures.makespan;
  }
}

TEST(Routing, RoutedIsComputedAndDropped) {
  Scenario scenario = routed(zipf);
  const record::RunRecord dropless = ideal_run(scenario);
  const double copies = 16.0 * 1024 * 2 * 8; // tokens, top-2, layers
  EXPECT_NEAR(dropless.figures.routed_tokens, copies, 1e-9 * copies);
  EXPECT_EQ(dropless.figures.dropped_tokens, 0);
  scenario.job().moe.load.capacity.factor = 1.25;
  const record::RunRecord dropping = ideal_run(scenario);
  EXPECT_NEAR(dropping.figures.routed_tokens, copies, 1e-9 * copies);
  EXPECT_GT(dropping.figures.dropped_tokens, 0.05 * copies);
  EXPECT_EQ(dropping.figures.computed_tokens, dropping.figures.routed_tokens - dropping.figures.dropped_tokens);
  EXPECT_LT(dropping.figures.makespan, dropless.figures.makespan);
  scenario.job().moe.load.balancing = Balancing::Reroute;
  EXPECT_NEAR(ideal_run(scenario).figures.dropped_tokens, 0, 1e-6 * copies);
}

// What ranks compute is what the routers sent; expert flops over all ranks do not depend on where tokens go.
TEST(Routing, FlopsAreThoseOfUniformRouting) {
  const auto flops = [](const Scenario& scenario) {
    const record::RunRecord run = ideal_run(scenario);
    return std::accumulate(run.tasks.flops.begin(), run.tasks.flops.end(), 0.0);
  };
  const double uniform = flops(routed({}));
  EXPECT_NEAR(flops(routed(zipf)), uniform, 2e-3 * uniform); // 4,096 rows of 16 experts are rounded up
}

TEST(Routing, HoldsWithoutExpertParallelismAndForInference) {
  Scenario alone = routed(zipf);
  alone.job().sizes = {.pp = 4, .dp = 8};
  EXPECT_GT(ideal_time(alone).value(), 0);
  Scenario served = routed({});
  workloads::InferenceJob job;
  static_cast<workloads::Job&>(job) = served.job();
  job.inference = {.batch_size = 32, .micro_batch_size = 4, .prompt_length = 64, .output_length = 5};
  served.work = job;
  const double uniform = ideal_time(served).value();
  served.job().moe.load.routing = zipf;
  EXPECT_GT(ideal_time(served).value(), uniform);
  EXPECT_LE(expect_folded_equals_full(served), 8U);
}

TEST(Routing, PlacementByLoadIsFaster) {
  Scenario scenario = routed(zipf);
  const double contiguous = ideal_time(scenario).value();
  scenario.job().moe.load.balancing = Balancing::Eplb;
  const double packed = ideal_time(scenario).value();
  EXPECT_LT(packed, contiguous);
  const auto busiest = [&] { return std::ranges::max(ideal_run(scenario).experts.rank_tokens); };
  const double without_replicas = busiest();
  scenario.job().moe.load.redundant_experts = 16;
  EXPECT_LT(busiest(), without_replicas);
}

} // namespace
} // namespace moesim::run
