// Why ranks idle in simulated runs: every idle moment has a cause, and the causes are where the job was made uneven.
#include "analysis/bubbles.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "analysis/time_budget.hpp"
#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using analysis::BubbleCause;
using analysis::TimeBudget;
using analysis::TimeBudgets;

// Stages that do nearly the same: what only the first and the last have is small beside the layers.
scenario::Scenario even_scenario() {
  scenario::Scenario scenario = small_scenario();
  scenario.job().model.vocab_size = 64;
  scenario.job().model.num_layers = 64;
  return scenario;
}

scenario::Scenario uneven_scenario() {
  scenario::Scenario scenario = even_scenario();
  scenario.job().layers_per_stage = {8, 32, 16, 8};
  return scenario;
}

scenario::Scenario slow_gpu_scenario() {
  scenario::Scenario scenario = even_scenario();
  scenario.cluster.slow_gpus = {{.gpu = 5, .speed = 0.5}};
  return scenario;
}

scenario::Scenario inference_scenario() {
  scenario::Scenario scenario = small_scenario();
  workloads::InferenceJob job;
  static_cast<workloads::Job&>(job) = scenario.job();
  job.inference = {.batch_size = 32, .micro_batch_size = 2, .prompt_length = 100, .output_length = 20};
  scenario.work = job;
  return scenario;
}

record::RunRecord ideal_run(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return simulate(scenario, executor, {});
}

double share(const TimeBudget& budget, BubbleCause cause) {
  return budget.bubble(cause) / budget.makespan;
}

TEST(BubblesOfARun, AddUpToTheIdleTimeOfEveryRankStageAndTheJob) {
  for (const scenario::Scenario& scenario :
       {small_scenario(), uneven_scenario(), slow_gpu_scenario(), inference_scenario()}) {
    const record::RunRecord run = ideal_run(scenario);
    const TimeBudgets budgets = analysis::time_budgets(run);
    const analysis::RowMeanings meanings(run.tasks);
    std::vector<double> idle(run.ranks.size(), 0);
    std::vector<double> idle_of_stage(budgets.stages.size(), 0);
    for (std::uint32_t rank = 0; rank < run.ranks.size(); ++rank) {
      analysis::visit_activities(run, rows_of(run, rank), meanings,
                                 [&](double begin, double end, analysis::Activity activity) {
                                   idle[rank] += activity == analysis::Activity::Idle ? end - begin : 0;
                                 });
      idle_of_stage[run.ranks.pp[rank]] += idle[rank] / 8; // ranks of a stage
      EXPECT_NEAR(budgets.ranks[rank].bubble(), idle[rank], 1e-12 * run.figures.makespan);
    }
    double all = 0;
    for (std::size_t stage = 0; stage < idle_of_stage.size(); ++stage) {
      EXPECT_NEAR(budgets.stages[stage].bubble(), idle_of_stage[stage], 1e-12 * run.figures.makespan);
      all += idle_of_stage[stage] / static_cast<double>(idle_of_stage.size());
    }
    EXPECT_NEAR(budgets.mean.bubble(), all, 1e-12 * run.figures.makespan);
    EXPECT_GT(all, 0);
  }
}

// All of a rank's idle time while it has passes to do is covered by a chain.
TEST(BubblesOfARun, EveryWaitHasABlockerThatRanWhenItEnded) {
  for (const scenario::Scenario& scenario : {small_scenario(), slow_gpu_scenario(), inference_scenario()}) {
    const record::RunRecord run = ideal_run(scenario);
    std::vector<std::uint32_t> ranks(run.ranks.size());
    for (std::uint32_t rank = 0; rank < ranks.size(); ++rank)
      ranks[rank] = rank;
    for (const std::vector<analysis::Bubble>& bubbles : analysis::BubbleFinder(run).bubbles(ranks))
      for (const analysis::Bubble& bubble : bubbles) {
        if (bubble.cause == BubbleCause::CoolDown || bubble.cause == BubbleCause::OptimizerTail)
          continue;
        ASSERT_NE(bubble.blocker, analysis::Bubble::no_row);
        if (bubble.cause == BubbleCause::Neighbour || bubble.cause == BubbleCause::WarmUp) {
          EXPECT_GE(run.tasks.end[bubble.blocker], bubble.end);
        }
      }
  }
}

TEST(BubblesOfARun, EvenStagesWaitForNothingButTheirTurn) {
  const TimeBudgets budgets = analysis::time_budgets(ideal_run(even_scenario()));
  EXPECT_GT(share(budgets.mean, BubbleCause::Neighbour), 0.05);
  EXPECT_LT(share(budgets.mean, BubbleCause::SlowerStage), 0.01);
  EXPECT_LT(share(budgets.mean, BubbleCause::SlowerRank), 1e-9);
}

// Stage 1 has half of the layers. The others wait for it, and it waits for nobody's slowness.
TEST(BubblesOfARun, OtherStagesWaitForTheSlowestOne) {
  const record::RunRecord run = ideal_run(uneven_scenario());
  const TimeBudgets budgets = analysis::time_budgets(run);
  for (const std::size_t stage : {0U, 2U, 3U})
    EXPECT_GT(share(budgets.stages[stage], BubbleCause::SlowerStage), 0.2) << stage;
  EXPECT_LT(share(budgets.stages[1], BubbleCause::SlowerStage), 1e-9);
  EXPECT_LT(share(budgets.mean, BubbleCause::SlowerRank), 1e-9);
  const analysis::BubbleFinder finder(run);
  const std::vector<std::uint32_t> first{0};
  const std::vector<std::vector<analysis::Bubble>> bubbles = finder.bubbles(first);
  for (const analysis::Bubble& bubble : bubbles.front())
    if (bubble.cause == BubbleCause::SlowerStage) {
      EXPECT_EQ(finder.label(0, bubble).find("waiting for slower stage 1's "), 0U) << finder.label(0, bubble);
    }
}

// GPU 5 is on stage 0. Its peers wait for it in collectives, and the other stages, for it more than for its stage.
TEST(BubblesOfARun, ASlowGpuIsImbalanceBetweenRanks) {
  const record::RunRecord run = ideal_run(slow_gpu_scenario());
  ASSERT_EQ(run.ranks.pp[5], 0U);
  const TimeBudgets budgets = analysis::time_budgets(run);
  EXPECT_LT(share(budgets.ranks[5], BubbleCause::SlowerRank), 1e-9);
  for (const std::uint32_t rank : {0U, 4U, 7U}) {
    EXPECT_GT(share(budgets.ranks[rank], BubbleCause::SlowerRank), 0.1) << rank;
    EXPECT_LT(share(budgets.ranks[rank], BubbleCause::SlowerStage), 0.01) << rank;
  }
  for (const std::size_t stage : {1U, 2U, 3U})
    EXPECT_GT(budgets.stages[stage].bubble(BubbleCause::SlowerRank),
              budgets.stages[stage].bubble(BubbleCause::SlowerStage))
        << stage;
}

} // namespace
} // namespace moesim::run
