// Folded equals full: over layouts, schedules and fidelities, with everything that breaks the symmetry of a job, and at
// the size that folding is for.
#include <fstream>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "tests/record/temporary_folder.hpp"

#include "tests/run/folded_equals_full.hpp"
#include "tests/run/random_scenario.hpp"
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

// What is overlapped, and whether it slows what it is beside.
enum class Overlap { None, Free, Slowing };

void overlap(Scenario& scenario, Overlap overlap) {
  const bool overlaps = overlap != Overlap::None;
  scenario.training_job().training.overlap = {.grad_reduce = overlaps,
                                              .param_gather = overlaps,
                                              .pp = overlaps,
                                              .tp = overlaps,
                                              .expert = overlaps ? workloads::ExpertOverlap::Chunked
                                                                 : workloads::ExpertOverlap::None};
  if (overlap == Overlap::Slowing) {
    scenario.cluster.gpu.multiprocessors = 100;
    scenario.cluster.gpu.communication = {.tp = 12, .cp = 4, .ep = 20, .dp = 16, .pp = 7};
  }
}

class Layouts : public ::testing::TestWithParam<ParallelSizes> {};

TEST_P(Layouts, FoldedEqualsFull) {
  for (const char* schedule : {"1f1b", "gpipe"})
    for (const cost::Fidelity fidelity : {cost::Fidelity::Analytic, cost::Fidelity::Fluid, cost::Fidelity::Flow})
      for (const Overlap overlapped : {Overlap::None, Overlap::Free, Overlap::Slowing})
        for (const std::int64_t gpus_per_node : {8, 6}) {
          Scenario scenario = laid_out(GetParam(), gpus_per_node);
          scenario.network = cost::same_for_all(fidelity);
          scenario.training_job().training.schedule = schedule;
          overlap(scenario, overlapped);
          SCOPED_TRACE(resolved_yaml(scenario));
          const std::uint32_t classes = expect_folded_equals_full(scenario);
          if (gpus_per_node == 8 && GetParam().world() % 16 == 0) { // groups fill their nodes
            EXPECT_EQ(classes, GetParam().pp);
          }
        }
}

INSTANTIATE_TEST_SUITE_P(Folding, Layouts,
                         ::testing::Values(ParallelSizes{}, ParallelSizes{.dp = 8}, ParallelSizes{.tp = 8},
                                           ParallelSizes{.pp = 4}, ParallelSizes{.tp = 4, .pp = 2, .dp = 2},
                                           ParallelSizes{.tp = 2, .cp = 2, .pp = 2, .ep = 4, .dp = 4},
                                           ParallelSizes{.pp = 2, .ep = 16, .dp = 16},
                                           ParallelSizes{.tp = 4, .pp = 2, .ep = 8, .etp = 2, .dp = 8},
                                           ParallelSizes{.tp = 2, .pp = 4, .ep = 8, .dp = 8}));

// Every schedule, with everything overlapped that it can overlap, or nothing, where one GPU is slower than the others
// or none is.
TEST(Folding, OfEverySchedule) {
  for (const schedulers::PipelineSchedule& schedule : schedulers::schedules())
    for (const cost::Fidelity fidelity : {cost::Fidelity::Analytic, cost::Fidelity::Fluid, cost::Fidelity::Flow})
      for (const bool overlaps : {false, true})
        for (const bool has_slow_gpu : {false, true}) {
          Scenario scenario = laid_out({.tp = 2, .pp = 4, .ep = 4, .dp = 4});
          workloads::TrainingJob& job = scenario.training_job();
          job.training.schedule = schedule.name;
          job.placement = schedule.placement;
          job.sizes.vpp = schedule.chunks == 0 ? 2 : job.has_two_copies() ? 1 : schedule.chunks;
          job.training.global_batch_size = 8 * job.sizes.dp;
          scenario.network = cost::same_for_all(fidelity);
          overlap(scenario, overlaps ? Overlap::Slowing : Overlap::None);
          if (overlaps && schedule.can_fuse)
            job.training.overlap.expert = workloads::ExpertOverlap::Passes;
          if (job.has_two_copies())
            job.training.overlap.grad_reduce = job.training.overlap.param_gather = false;
          if (has_slow_gpu)
            scenario.cluster.slow_gpus = {{9, 0.8}};
          SCOPED_TRACE(schedule.name);
          const std::uint32_t classes = expect_folded_equals_full(scenario);
          EXPECT_EQ(classes, has_slow_gpu ? 32 : 4);
        }
}

// What makes one GPU or link unlike the others, and everything else that makes ranks differ.
struct Breaker {
  const char* name;
  void (*apply)(Scenario& scenario);
};

class Breakers : public ::testing::TestWithParam<Breaker> {};

TEST_P(Breakers, FoldedEqualsFull) {
  for (const auto& [fidelity, overlapped] :
       {std::pair(cost::Fidelity::Fluid, Overlap::None), std::pair(cost::Fidelity::Fluid, Overlap::Free),
        std::pair(cost::Fidelity::Fluid, Overlap::Slowing), std::pair(cost::Fidelity::Flow, Overlap::None),
        std::pair(cost::Fidelity::Flow, Overlap::Slowing), std::pair(cost::Fidelity::Analytic, Overlap::Slowing)}) {
    Scenario scenario = laid_out({.tp = 2, .pp = 2, .ep = 4, .dp = 16});
    scenario.network = cost::same_for_all(fidelity);
    overlap(scenario, overlapped);
    GetParam().apply(scenario);
    const std::uint32_t classes = expect_folded_equals_full(scenario);
    if (fidelity != cost::Fidelity::Flow) { // whose partners differ in every rank where one differs
      EXPECT_LT(classes, 64U) << "nothing was folded";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Folding, Breakers,
    ::testing::Values(
        Breaker{"SlowGpu",
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
                  scenario.cluster.degraded_links = {{link_of(scenario.cluster, 9, LinkKind::NicUp), 0.3}};
                }},
        Breaker{"DegradedNvlink",
                [](Scenario& scenario) {
                  scenario.cluster.degraded_links = {{link_of(scenario.cluster, 33, LinkKind::NvlinkDown), 0.1}};
                }},
        Breaker{"SlowGpuAndDegradedNic",
                [](Scenario& scenario) {
                  scenario.cluster.slow_gpus = {{5, 0.7}};
                  scenario.cluster.degraded_links = {{link_of(scenario.cluster, 60, LinkKind::NicUp), 0.5},
                                                     {link_of(scenario.cluster, 60, LinkKind::NicDown), 0.5}};
                }},
        Breaker{"OversubscribedTrunk",
                [](Scenario& scenario) {
                  scenario.cluster.fabric = {2, 4};
                }},
        Breaker{"OneNodeALeaf",
                [](Scenario& scenario) {
                  scenario.cluster.fabric = {1, 3};
                }},
        Breaker{"LeafThatIsNotFull",
                [](Scenario& scenario) {
                  scenario.cluster.fabric = {3, 5};
                }},
        Breaker{"DegradedTrunk",
                [](Scenario& scenario) {
                  scenario.cluster.fabric = {2, 2};
                  scenario.cluster.degraded_links = {{trunk_of(scenario.cluster, 1, platforms::Trunk::Up), 0.3}};
                }},
        Breaker{"SlowGpuBelowATrunk",
                [](Scenario& scenario) {
                  scenario.cluster.fabric = {2, 4};
                  scenario.cluster.slow_gpus = {{17, 0.8}};
                }},
        Breaker{"SlowGpusCrosswiseBelowTrunks", // each leaf has one slow GPU, in another data-parallel group
                [](Scenario& scenario) {
                  scenario.job().sizes = {.tp = 2, .dp = 2};
                  scenario.cluster.nodes = 2;
                  scenario.cluster.gpus_per_node = 2;
                  scenario.cluster.fabric = {1, 8};
                  scenario.cluster.slow_gpus = {{0, 0.7}, {3, 0.7}};
                }},
        Breaker{"UnevenStages",
                [](Scenario& scenario) {
                  scenario.job().layers_per_stage = {5, 3};
                }},
        Breaker{"HostsAheadOfTheirGpus", // by more on the slow one
                [](Scenario& scenario) {
                  scenario.launch = {Seconds(20e-6), Seconds(10e-6)};
                  scenario.cluster.slow_gpus = {{5, 0.7}};
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

TEST(Folding, TwoBatchesFoldedEqualFull) {
  for (const cost::Fidelity fidelity : {cost::Fidelity::Analytic, cost::Fidelity::Fluid, cost::Fidelity::Flow})
    for (const ParallelSizes& sizes :
         {ParallelSizes{.ep = 16, .dp = 16}, ParallelSizes{.tp = 2, .pp = 2, .ep = 4, .etp = 2, .dp = 8}}) {
      Scenario scenario = laid_out(sizes);
      workloads::InferenceJob job;
      static_cast<workloads::Job&>(job) = scenario.job();
      job.inference = {.batch_size = 8 * sizes.dp,
                       .micro_batch_size = 4,
                       .prompt_length = 100,
                       .output_length = 4,
                       .overlaps_two_batches = true};
      scenario.work = job;
      scenario.network = cost::same_for_all(fidelity);
      EXPECT_EQ(expect_folded_equals_full(scenario), sizes.pp);
    }
}

class RandomScenarios : public ::testing::TestWithParam<std::uint64_t> {};

// Everything else that a scenario can say, by chance; what fails prints its scenario.
TEST_P(RandomScenarios, FoldedEqualsFull) {
  std::uint32_t ran = 0;
  std::uint32_t folded = 0;
  for (std::uint64_t seed = 5000 + GetParam(); ran < 40; seed += 4) {
    const std::string text = random_scenario(seed);
    SCOPED_TRACE("scenario " + std::to_string(seed) + ":\n" + text);
    const moesim::testing::TemporaryFolder folder;
    std::ofstream(folder / "scenario.yaml", std::ios::binary) << text;
    try {
      const Scenario scenario = scenario::load(folder / "scenario.yaml", {});
      if (expect_folded_equals_full(scenario) < scenario.job().sizes.world())
        ++folded;
      ++ran;
    } catch (const InputError&) { // refused, as others in option_grid_test.cpp
    }
  }
  EXPECT_GE(folded, 20U);
}

// The same with experts that have unequal loads.
TEST_P(RandomScenarios, FoldedEqualsFullWithUnequalLoads) {
  std::uint32_t ran = 0;
  for (std::uint64_t seed = 9000 + GetParam(); ran < 25; seed += 4) {
    const std::string text = random_scenario(seed) + random_routing(seed);
    SCOPED_TRACE("scenario " + std::to_string(seed) + ":\n" + text);
    const moesim::testing::TemporaryFolder folder;
    std::ofstream(folder / "scenario.yaml", std::ios::binary) << text;
    try {
      const Scenario scenario = scenario::load(folder / "scenario.yaml", {});
      if (!scenario.job().model.moe)
        continue;
      expect_folded_equals_full(scenario);
      ++ran;
    } catch (const InputError&) { // refused
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folding, RandomScenarios, ::testing::Values(0, 1, 2, 3));

// The size that folding is for: the scenario with 512 GPUs as it ships, and with GPUs and a cable that are not alike.
class FiveHundredGpus : public ::testing::TestWithParam<const char*> {};

TEST_P(FiveHundredGpus, FoldedEqualsFull) {
  const Scenario scenario =
      scenario::load(MOESIM_TEST_DIR "/../../workloads/scenarios/moe30b-gpus512-tp8-pp4-ep16.yaml",
                     std::vector<std::string>{GetParam()});
  EXPECT_LT(expect_folded_equals_full(scenario), 128U);
}

INSTANTIATE_TEST_SUITE_P(
    Folding, FiveHundredGpus,
    ::testing::Values("moe.routing={type: zipf, exponent: 1}",
                      "training.overlap={grad_reduce: true, param_gather: true, pp: true, tp: true, expert: chunked}",
                      "simulation.network=analytic", "simulation.network=flow",
                      "simulation.network={default: fluid, tp: analytic, ep: flow}",
                      "platform.overrides=[{gpu: 100, speed: 0.9}]",
                      "platform.overrides=[{link: node40.nic3.up, bandwidth_factor: 0.5}]",
                      "platform.fabric={type: fat-tree, nodes_per_leaf: 8, oversubscription: 2}"));

} // namespace
} // namespace moesim::run
