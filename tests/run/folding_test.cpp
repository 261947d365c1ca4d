// Folded equals full: over layouts, schedules and fidelities, with everything that breaks the symmetry of a job, and at
// the size that folding is for.
#include <gtest/gtest.h>

#include "tests/run/folded_equals_full.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using platforms::link_of;
using platforms::LinkKind;
using scenario::Scenario;
using workloads::ParallelSizes;

// small_scenario() laid out anew, on as many nodes as that takes.
Scenario laid_out(const ParallelSizes& sizes, std::int64_t gpus_per_node = 8) {
  Scenario scenario = small_scenario();
  scenario.job().sizes = sizes;
  scenario.cluster.gpus_per_node = gpus_per_node;
  scenario.cluster.nodes = (sizes.world() + gpus_per_node - 1) / gpus_per_node;
  scenario.training_job().training.global_batch_size = 4 * sizes.dp;
  return scenario;
}

class Layouts : public testing::TestWithParam<ParallelSizes> {};

TEST_P(Layouts, FoldedEqualsFull) {
  for (const char* schedule : {"1f1b", "gpipe"})
    for (const scenario::Network network : {scenario::Network::Analytic, scenario::Network::Fluid})
      for (const bool overlaps : {false, true})
        for (const std::int64_t gpus_per_node : {8, 6}) {
          Scenario scenario = laid_out(GetParam(), gpus_per_node);
          scenario.network = network;
          scenario.training_job().training.schedule = schedule;
          scenario.training_job().training.overlap = {
              .grad_reduce = overlaps, .param_gather = overlaps, .pp = overlaps};
          SCOPED_TRACE(resolved_yaml(scenario));
          const std::uint32_t classes = expect_folded_equals_full(scenario);
          if (gpus_per_node == 8 && GetParam().world() % 16 == 0) { // groups fill their nodes
            EXPECT_EQ(classes, GetParam().pp);
          }
        }
}

INSTANTIATE_TEST_SUITE_P(Folding, Layouts,
                         testing::Values(ParallelSizes{}, ParallelSizes{.dp = 8}, ParallelSizes{.tp = 8},
                                         ParallelSizes{.pp = 4}, ParallelSizes{.tp = 4, .pp = 2, .dp = 2},
                                         ParallelSizes{.tp = 2, .cp = 2, .pp = 2, .ep = 4, .dp = 4},
                                         ParallelSizes{.pp = 2, .ep = 16, .dp = 16},
                                         ParallelSizes{.tp = 4, .pp = 2, .ep = 8, .etp = 2, .dp = 8},
                                         ParallelSizes{.tp = 2, .pp = 4, .ep = 8, .dp = 8}));

// What makes one GPU or link unlike the others, and everything else that makes ranks differ.
struct Breaker {
  const char* name;
  void (*apply)(Scenario& scenario);
};

class Breakers : public testing::TestWithParam<Breaker> {};

TEST_P(Breakers, FoldedEqualsFull) {
  for (const bool overlaps : {false, true}) {
    Scenario scenario = laid_out({.tp = 2, .pp = 2, .ep = 4, .dp = 16});
    scenario.training_job().training.overlap = {.grad_reduce = overlaps, .param_gather = overlaps, .pp = overlaps};
    GetParam().apply(scenario);
    const std::uint32_t classes = expect_folded_equals_full(scenario);
    EXPECT_LT(classes, 64U) << "nothing was folded";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Folding, Breakers,
    testing::Values(Breaker{"SlowGpu",
                            [](Scenario& scenario) {
                              scenario.cluster.slow_gpus = {{17, 0.8}};
                            }},
                    Breaker{"TwoSlowGpus",
                            [](Scenario& scenario) {
                              scenario.cluster.slow_gpus = {{3, 0.8}, {40, 0.9}};
                            }},
                    Breaker{"FastGpu",
                            [](Scenario& scenario) {
                              scenario.cluster.slow_gpus = {{63, 1.5}};
                            }},
                    Breaker{"DegradedNic",
                            [](Scenario& scenario) {
                              scenario.cluster.degraded_links = {{link_of(9, LinkKind::NicUp), 0.3}};
                            }},
                    Breaker{"DegradedNvlink",
                            [](Scenario& scenario) {
                              scenario.cluster.degraded_links = {{link_of(33, LinkKind::NvlinkDown), 0.1}};
                            }},
                    Breaker{"SlowGpuAndDegradedNic",
                            [](Scenario& scenario) {
                              scenario.cluster.slow_gpus = {{5, 0.7}};
                              scenario.cluster.degraded_links = {{link_of(60, LinkKind::NicUp), 0.5},
                                                                 {link_of(60, LinkKind::NicDown), 0.5}};
                            }},
                    Breaker{"UnevenStages",
                            [](Scenario& scenario) {
                              scenario.job().layers_per_stage = {5, 3};
                            }},
                    Breaker{"UnevenNodes", [](Scenario& scenario) { scenario.cluster.gpus_per_node = 12; }},
                    Breaker{"AnotherOrder", [](Scenario& scenario) { scenario.rank_order = "dp-tp-cp-ep-pp"; }},
                    Breaker{"StagesAsNeighbours",
                            [](Scenario& scenario) {
                              scenario.job().sizes = {.tp = 2, .pp = 2, .ep = 4, .etp = 2, .dp = 16};
                              scenario.rank_order = "pp-tp-cp-ep-dp";
                            }},
                    Breaker{"Zero3",
                            [](Scenario& scenario) {
                              scenario.training_job().training.sharding = workloads::Sharding::Zero3;
                              scenario.cluster.slow_gpus = {{1, 0.5}};
                            }}),
    [](const auto& breaker) { return breaker.param.name; });

} // namespace
} // namespace moesim::run
