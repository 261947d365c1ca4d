// Figures of experts' loads, against sums by hand.
#include "analysis/expert_balance.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/analysis/record_builder.hpp"

namespace moesim::analysis {
namespace {

using testing::record_of;

// Two ranks hold two experts each; the first one's take 3 s and 1 s, the other's 1 s and 1 s.
record::RunRecord sample() {
  record::RunRecord run = record_of({0, 0}, {{.rank = 0, .start = 0, .end = 3, .name = "experts"},
                                             {.rank = 0, .start = 3, .end = 4, .name = "experts"},
                                             {.rank = 1, .start = 0, .end = 1, .name = "experts"},
                                             {.rank = 1, .start = 3, .end = 4, .name = "experts"}});
  run.ranks.ep = {0, 1};
  run.experts.layers = {0};
  run.experts.experts = 4;
  run.experts.tokens = {60, 20, 10, 10};
  run.experts.dropped = {25, 0, 0, 0};
  run.experts.rank_layer = {0};
  run.experts.rank_micro_batch = {-1};
  run.experts.rank_step = {0};
  run.experts.ranks = 2;
  run.experts.rank_tokens = {55, 20};
  run.figures.routed_tokens = 100;
  run.figures.dropped_tokens = 25;
  run.figures.computed_tokens = 75;
  return run;
}

TEST(ExpertFigures, AreMeansOverLayersOfWhatIsUneven) {
  const ExpertFigures figures = expert_figures(sample());
  EXPECT_DOUBLE_EQ(figures.load_max_over_mean, 60 / 25.0);
  EXPECT_DOUBLE_EQ(figures.load_cv, std::sqrt((35.0 * 35 + 5 * 5 + 15 * 15 + 15 * 15) / 4) / 25);
  EXPECT_DOUBLE_EQ(figures.rank_load_max_over_mean, 55 / 37.5);
  EXPECT_DOUBLE_EQ(figures.rank_load_cv, 17.5 / 37.5);
  EXPECT_EQ(figures.routed_tokens, figures.computed_tokens + figures.dropped_tokens);
}

// In the first step one rank waits 2 s for the other, in the second nobody waits.
TEST(ExpertFigures, ImbalanceIsWhatRanksWaitForTheSlowest) {
  EXPECT_DOUBLE_EQ(expert_figures(sample()).imbalance_s, (2 + 0) / 2.0);
  record::RunRecord folded = sample();
  folded.ranks = {};
  for (std::uint32_t rank = 0; rank < 4; ++rank) { // two replicas of the experts
    for (auto* column : {&folded.ranks.node, &folded.ranks.tp, &folded.ranks.cp, &folded.ranks.dp, &folded.ranks.pp,
                         &folded.ranks.etp})
      column->push_back(0);
    folded.ranks.ep.push_back(rank % 2);
    folded.ranks.edp.push_back(rank / 2);
    folded.ranks.representative.push_back(rank % 2);
  }
  EXPECT_DOUBLE_EQ(expert_figures(folded).imbalance_s, 1);
}

TEST(ExpertFigures, LatenciesAreOfForwardSteps) {
  record::RunRecord run = sample();
  EXPECT_DOUBLE_EQ(expert_figures(run).latency_p50_s, 1);
  EXPECT_DOUBLE_EQ(expert_figures(run).latency_p99_s, 3);
  run.tasks.phase[0] = 1; // a backward
  EXPECT_DOUBLE_EQ(expert_figures(run).latency_p99_s, 1);
}

} // namespace
} // namespace moesim::analysis
