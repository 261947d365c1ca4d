// What a run says of each quantity: of a record made by hand, and laws that hold of simulated ones.
#include "simulator/audit/simulated_figures.hpp"

#include <gtest/gtest.h>

#include "simulator/run/simulate.hpp"
#include "tests/analysis/record_builder.hpp"

namespace moesim::audit {
namespace {

const std::filesystem::path small = MOESIM_TEST_DIR "/../cli/small.yaml";

// Rank 1 does the same half as long.
record::RunRecord handmade() {
  record::RunRecord run =
      testing::record_of({0, 1}, {{0, "compute", "forward", 0, 4, 0, "attention"},
                                  {0, "ep", "forward", 2, 6, 0, "transfer"}, // 2 s beside compute, 2 s exposed
                                  {0, "compute", "forward", 6, 7, 0, "experts"},
                                  {0, "compute", "forward", 7, 8, 1, "attention"},
                                  {0, "compute", "backward", 8, 10, 0, "attention"},
                                  {1, "compute", "forward", 0, 4, 0, "attention"}});
  run.figures.tokens_per_iteration = 512;
  run.figures.model_flops = 1e12;
  run.figures.hardware_flops = 1.25e12;
  run.figures.peak_flops_per_gpu = 1e12;
  run.figures.memory_capacity = 100;
  run.memory.time = {0};
  run.memory.rank = {0};
  run.memory.categories = {"weights", "activations", "communication", "workspace"};
  run.memory.bytes = {{20}, {10}, {4}, {6}};
  return run;
}

TEST(SimulatedFigures, AreThoseOfTheRecord) {
  const scenario::Scenario scenario = scenario::load(small, {});
  const SimulatedFigures figures = simulated_figures(handmade(), scenario);
  EXPECT_DOUBLE_EQ(figures.at("gpus"), 2);
  EXPECT_DOUBLE_EQ(figures.at("iteration_time"), 10);
  EXPECT_DOUBLE_EQ(figures.at("sequences_per_s"), 0.4); // 4 sequences
  EXPECT_DOUBLE_EQ(figures.at("tokens_per_s"), 51.2);
  EXPECT_DOUBLE_EQ(figures.at("tokens_per_s_per_gpu"), 25.6);
  EXPECT_DOUBLE_EQ(figures.at("mfu"), 0.05);
  EXPECT_DOUBLE_EQ(figures.at("recomputed_share"), 0.25);
  EXPECT_DOUBLE_EQ(figures.at("compute_time"), (8 + 4) / 2.0);
  EXPECT_DOUBLE_EQ(figures.at("compute_share"), 0.6);
  EXPECT_DOUBLE_EQ(figures.at("communication_time"), 1); // 2 s of one of two ranks
  EXPECT_DOUBLE_EQ(figures.at("communication_share"), 0.1);
  EXPECT_DOUBLE_EQ(figures.at("communication_per_compute"), 1.0 / 6);
  EXPECT_DOUBLE_EQ(figures.at("hidden_communication"), 0.5);
  EXPECT_DOUBLE_EQ(figures.at("bubble_share"), 0.3);
  EXPECT_DOUBLE_EQ(figures.at("stage_imbalance"), 8 / 6.0 - 1);
  EXPECT_DOUBLE_EQ(figures.at("attention_time"), 4); // of micro-batch 0, forward
  EXPECT_DOUBLE_EQ(figures.at("expert_time"), 1);
  EXPECT_DOUBLE_EQ(figures.at("memory"), 40);
  EXPECT_DOUBLE_EQ(figures.at("memory_share"), 0.4);
  EXPECT_DOUBLE_EQ(figures.at("memory_weights"), 20);
  EXPECT_DOUBLE_EQ(figures.at("memory_communication"), 10);
  // Five kernels of 1e6 bytes on two GPUs.
  EXPECT_DOUBLE_EQ(figures.at("memory_bandwidth_share"),
                   5e6 / (2 * 10 * scenario.cluster.gpu.memory_bandwidth.value()));
  EXPECT_FALSE(figures.contains("ttft"));
}

TEST(SimulatedFigures, ComputeCommunicationAndBubbleAreTheWhole) {
  const scenario::Scenario scenario = scenario::load(small, {});
  const record::RunRecord run = run::simulate(scenario, [](std::size_t, std::size_t) {});
  const SimulatedFigures figures = simulated_figures(run, scenario);
  EXPECT_NEAR(figures.at("compute_share") + figures.at("communication_share") + figures.at("bubble_share"), 1, 1e-9);
  EXPECT_NEAR(figures.at("memory_weights") + figures.at("memory_gradients") + figures.at("memory_optimizer") +
                  figures.at("memory_activations") + figures.at("memory_communication"),
              figures.at("memory"), 1e-6);
  EXPECT_GT(figures.at("routing_time"), 0);
  EXPECT_LT(figures.at("memory_bandwidth_share"), 1);
  EXPECT_EQ(figures.at("expert_imbalance"), 0);
}

TEST(SimulatedFigures, EveryQuantityThatIsSimulatedIsThere) {
  const scenario::Scenario scenario =
      scenario::load(MOESIM_TEST_DIR "/../../workloads/scenarios/moe10b-gpus16-pp4-ep4-dp4-prefill.yaml", {});
  const SimulatedFigures served = simulated_figures(run::simulate(scenario, [](std::size_t, std::size_t) {}), scenario);
  const SimulatedFigures trained = simulated_figures(handmade(), scenario::load(small, {}));
  for (const claims::Quantity& quantity : claims::quantities()) {
    const std::string name(quantity.name);
    const bool is_training_only =
        name == "memory_gradients" || name == "memory_optimizer" || name == "memory_activations";
    const bool is_simulated = quantity.accuracy != claims::Accuracy::NotSimulated;
    EXPECT_TRUE(!is_simulated || is_training_only || served.contains(name)) << name;
    EXPECT_TRUE(is_simulated || !(served.contains(name) || trained.contains(name))) << name;
  }
}

} // namespace
} // namespace moesim::audit
