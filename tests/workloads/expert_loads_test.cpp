// Where the tokens of a job go: conserved, alike for what is alike, and none where routing is even.
#include "workloads/expert_loads.hpp"

#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "tests/workloads/test_job.hpp"
#include "workloads/layout.hpp"

namespace moesim::workloads {
namespace {

const ParallelSizes folded{.tp = 2, .pp = 2, .ep = 4, .dp = 4};

TrainingJob routed(const RoutingModel& routing, const ParallelSizes& sizes = folded) {
  TrainingJob job = job_of(small_moe(), sizes);
  job.moe.load.routing = routing;
  return job;
}

ExpertLoads loads_of(const TrainingJob& job) {
  return expert_loads(job, Layout(job.sizes), 8);
}

const RoutingModel zipf{.type = RoutingType::Zipf, .exponent = 1};

TEST(ExpertLoads, OfEvenRoutingAreNone) {
  EXPECT_TRUE(loads_of(routed({})).are_even());
  EXPECT_TRUE(loads_of(routed({.type = RoutingType::Zipf, .exponent = 0})).are_even());
  EXPECT_TRUE(expert_loads(job_of(small_dense(), {.dp = 2}), Layout({.dp = 2}), 8).are_even());
}

// Of each expert-parallel group: what is sent is received, and worked on by all ranks of etp.
TEST(ExpertLoads, WhatIsSentIsReceived) {
  for (const ParallelSizes& sizes :
       {folded, ParallelSizes{.tp = 2, .ep = 4, .etp = 2, .dp = 4}, ParallelSizes{.ep = 1, .dp = 2}})
    for (const TokenCounts counts : {TokenCounts::Expected, TokenCounts::Sampled}) {
      RoutingModel routing = zipf;
      routing.counts = counts;
      const TrainingJob job = routed(routing, sizes);
      const ExpertLoads loads = loads_of(job);
      const Layout layout(sizes);
      for (const graph::TokenSpread& spread : loads.table.spreads)
        for (const std::vector<std::uint32_t>& group : layout.position_groups(graph::Dimension::Ep)) {
          std::int64_t routed_copies = 0;
          std::int64_t received = 0;
          std::int64_t rows = 0;
          for (const std::uint32_t position : group) {
            const RankLoad& load = loads.loads[spread.load_of[position]].load;
            routed_copies += load.routed;
            received += load.received;
            rows += load.all_rows();
          }
          const std::int64_t copies = std::ssize(group) * 32 / sizes.tp * 2;
          EXPECT_NEAR(static_cast<double>(routed_copies), static_cast<double>(copies),
                      static_cast<double>(group.size()));
          EXPECT_NEAR(static_cast<double>(received), static_cast<double>(copies), static_cast<double>(group.size()));
          // Each expert's rows are rounded up.
          EXPECT_GE(rows, copies * sizes.etp - 1);
          EXPECT_LE(rows, copies * sizes.etp + 8);
        }
    }
}

// Replicas of the experts have the same loads; sampled ones have not.
TEST(ExpertLoads, ReplicasAreAlikeUnlessTokensAreDrawn) {
  const auto unlike = [](const RoutingModel& routing) {
    const TrainingJob job = routed(routing, {.ep = 4, .dp = 8});
    const ExpertLoads loads = loads_of(job);
    std::set<std::vector<std::uint32_t>> seen;
    for (std::uint32_t position = 0; position < 8; ++position) {
      std::vector<std::uint32_t> of_position;
      for (const graph::TokenSpread& spread : loads.table.spreads)
        of_position.push_back(spread.load_of[position]);
      seen.insert(of_position);
    }
    return seen.size();
  };
  EXPECT_EQ(unlike(zipf), 4U);
  EXPECT_EQ(unlike({.type = RoutingType::Hot, .hot_share = 0.4, .hot_experts = 1, .correlation = 1}), 2U);
  RoutingModel drawn = zipf;
  drawn.counts = TokenCounts::Sampled;
  EXPECT_EQ(unlike(drawn), 8U);
}

TEST(ExpertLoads, RebalancingMovesWeightsOnce) {
  TrainingJob job = routed(zipf);
  job.moe.load.balancing = Balancing::Periodic;
  const auto steps = [&](std::int64_t iteration) {
    job.moe.load.iteration = iteration;
    const graph::Programs programs = training_iteration(job, loads_of(job));
    std::size_t count = 0;
    for (const graph::Program& program : programs.stages)
      for (const graph::Step& step : program.steps())
        count += programs.names[step.task.name] == "move-experts" ? 1U : 0U;
    return count;
  };
  EXPECT_EQ(steps(0), 0U);
  EXPECT_GT(steps(1), 0U);
  EXPECT_EQ(steps(2), 0U); // nothing drifts
}

// Activations are given back as they were taken, on every rank, whatever is recomputed or split.
TEST(ExpertLoads, EveryRankGivesBackWhatItTakes) {
  for (const char* schedule : {"1f1b", "zb-h1"})
    for (const bool recomputes : {false, true}) {
      TrainingJob job = scheduled(routed(zipf), schedule);
      job.moe.load.balancing = Balancing::WorkStealing;
      if (recomputes)
        job.training.recompute.granularity = Recompute::Granularity::Full;
      const graph::Programs programs = training_iteration(job, loads_of(job));
      const Layout layout(job.sizes);
      for (std::uint32_t stage = 0; stage < 2; ++stage)
        for (std::uint32_t position = 0; position < layout.position_count(); ++position) {
          graph::MemoryUse held;
          for (const graph::Step& step : programs.stages[stage].steps())
            if (step.task.kind != graph::Kind::SendRecv) {
              const graph::Work& work = programs.works[programs.work_on(layout.rank_of(stage, position), step)];
              held += work.allocated;
              held -= work.freed;
            }
          for (const graph::Memory memory : {graph::Memory::Activations, graph::Memory::Communication})
            EXPECT_NEAR(held[memory].value(), 0, 1e-6) << schedule << ' ' << recomputes;
        }
    }
}

} // namespace
} // namespace moesim::workloads
