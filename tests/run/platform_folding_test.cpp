// Folded equals full on every kind of platform, whole and with something that is not as the rest.
#include <vector>

#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "tests/run/folded_equals_full.hpp"
#include "tests/run/test_scenario.hpp"

namespace moesim::run {
namespace {

using platforms::Cluster;
using platforms::NodeNetwork;
using platforms::Port;
using platforms::Rails;
using platforms::Routing;
using platforms::Trunk;
using scenario::Scenario;
using workloads::ParallelSizes;

constexpr Port pcie{BytesPerSecond(30e9), 0.9, Seconds(1e-6), Seconds(2e-6)};

struct Platform {
  const char* name;
  std::int64_t gpus_per_node;
  void (*apply)(Cluster& cluster);
};

void use_fat_tree(Cluster& cluster, double leaf, double pod) {
  cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = leaf, .leaves_per_pod = 2, .pod_oversubscription = pod};
  cluster.fabric.hop_latency = Seconds(2e-7);
}

void use_rails(Cluster& cluster, Rails rails) {
  cluster.fabric = {.nodes_per_leaf = rails == Rails::Apart ? cluster.nodes : 2, .oversubscription = 2, .rails = rails};
  cluster.fabric.hop_latency = Seconds(2e-7);
}

class Platforms : public ::testing::TestWithParam<Platform> {
protected:
  static Scenario on_platform(const ParallelSizes& sizes, cost::Fidelity fidelity) {
    Scenario scenario = small_scenario();
    scenario.job().sizes = sizes;
    scenario.network = cost::same_for_all(fidelity);
    scenario.training_job().training.global_batch_size = 4 * sizes.dp;
    scenario.training_job().training.overlap = {.grad_reduce = true, .param_gather = true, .pp = true, .tp = true};
    Cluster& cluster = scenario.cluster;
    cluster.gpus_per_node = GetParam().gpus_per_node;
    cluster.nodes = (sizes.world() + cluster.gpus_per_node - 1) / cluster.gpus_per_node;
    GetParam().apply(cluster);
    return scenario;
  }
};

TEST_P(Platforms, FoldedEqualsFull) {
  for (const cost::Fidelity fidelity : {cost::Fidelity::Analytic, cost::Fidelity::Fluid, cost::Fidelity::Flow})
    for (const ParallelSizes& sizes :
         {ParallelSizes{.tp = 2, .pp = 2, .ep = 4, .dp = 16},
          ParallelSizes{.tp = 2, .cp = 2, .pp = 2, .ep = 4, .dp = 4}, ParallelSizes{.pp = 2, .ep = 16, .dp = 16},
          ParallelSizes{.tp = 4, .pp = 2, .ep = 8, .etp = 2, .dp = 8}}) {
      const Scenario scenario = on_platform(sizes, fidelity);
      SCOPED_TRACE(resolved_yaml(scenario));
      const std::uint32_t classes = expect_folded_equals_full(scenario);
      // Pair by pair, the messages between rails that stay apart cross links of GPUs that relay.
      if (fidelity != cost::Fidelity::Flow || scenario.cluster.fabric.rails != Rails::Apart) {
        EXPECT_LT(classes, sizes.world()) << "nothing was folded";
      }
    }
}

// A slow GPU, or a weak link of one GPU, or the last link of the cluster: a trunk where there is one.
TEST_P(Platforms, FoldedEqualsFullWhereSomethingIsSlow) {
  const ParallelSizes sizes{.tp = 2, .pp = 2, .ep = 4, .dp = 16};
  std::vector<Scenario> scenarios(3, on_platform(sizes, cost::Fidelity::Fluid));
  scenarios[0].cluster.slow_gpus = {{5, 0.7}};
  scenarios[1].cluster.degraded_links = {{2, 0.3}};
  scenarios[2].cluster.degraded_links = {{link_count(scenarios[2].cluster) - 1, 0.3}};
  bool folded = false;
  for (const Scenario& scenario : scenarios) {
    SCOPED_TRACE(resolved_yaml(scenario));
    folded = expect_folded_equals_full(scenario) < sizes.world() || folded;
  }
  EXPECT_TRUE(folded) << "nothing was folded";
}

INSTANTIATE_TEST_SUITE_P(
    Folding, Platforms,
    ::testing::Values(Platform{"FatTreeWithTwoLevels", 8,
                               [](Cluster& cluster) {
                                 cluster.fabric = {.nodes_per_leaf = 2};
                                 cluster.fabric.hop_latency = Seconds(2e-7);
                               }},
                      Platform{"FatTreeWithTwoLevelsOversubscribed", 8,
                               [](Cluster& cluster) {
                                 cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 2};
                                 cluster.fabric.hop_latency = Seconds(2e-7);
                               }},
                      Platform{"FatTreeWithThreeLevels", 4, [](Cluster& cluster) { use_fat_tree(cluster, 1, 1); }},
                      Platform{"FatTreeWithThreeLevelsOversubscribed", 4,
                               [](Cluster& cluster) { use_fat_tree(cluster, 2, 2); }},
                      Platform{"RailOptimized", 4, [](Cluster& cluster) { use_rails(cluster, Rails::Joined); }},
                      Platform{"RailOptimizedInPods", 4,
                               [](Cluster& cluster) {
                                 use_rails(cluster, Rails::Joined);
                                 cluster.fabric.leaves_per_pod = 8;
                                 cluster.fabric.pod_oversubscription = 3;
                               }},
                      Platform{"RailOnly", 8, [](Cluster& cluster) { use_rails(cluster, Rails::Apart); }},
                      Platform{"SharedNics", 8,
                               [](Cluster& cluster) {
                                 cluster.pcie = pcie;
                                 cluster.nics_per_node = 4;
                               }},
                      Platform{"SharedNicsBelowRails", 8,
                               [](Cluster& cluster) {
                                 cluster.pcie = pcie;
                                 cluster.nics_per_node = 2;
                                 use_rails(cluster, Rails::Joined);
                               }},
                      Platform{"SeveralNics", 8,
                               [](Cluster& cluster) {
                                 cluster.nics_per_node = 16;
                                 cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 3};
                               }},
                      Platform{"PcieHop", 8, [](Cluster& cluster) { cluster.pcie = pcie; }},
                      Platform{"Mesh", 4, [](Cluster& cluster) { cluster.node_network = NodeNetwork::Mesh; }},
                      Platform{"MeshBelowLeaves", 4,
                               [](Cluster& cluster) {
                                 cluster.node_network = NodeNetwork::Mesh;
                                 cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 4};
                               }},
                      Platform{"PcieOnly", 8,
                               [](Cluster& cluster) {
                                 cluster.node_network = NodeNetwork::Pcie;
                                 cluster.pcie = pcie;
                               }},
                      Platform{"PcieOnlyWithSharedNics", 8,
                               [](Cluster& cluster) {
                                 cluster.node_network = NodeNetwork::Pcie;
                                 cluster.pcie = pcie;
                                 cluster.nics_per_node = 4;
                                 cluster.fabric = {.nodes_per_leaf = 1, .oversubscription = 2};
                               }}),
    [](const auto& platform) { return platform.param.name; });

// Uplinks that hashing fills unevenly make every rank differ.
TEST(PlatformsThatDoNotFold, SimulateEveryRank) {
  for (const Routing routing : {Routing::Static, Routing::Hashed}) {
    Scenario scenario = small_scenario();
    scenario.cluster.fabric = {.nodes_per_leaf = 1, .oversubscription = 2, .routing = routing, .uplinks = 4};
    EXPECT_EQ(expect_folded_equals_full(scenario), scenario.job().sizes.world());
  }
}

// A pipeline whose stages are on different rails: the sender's neighbour relays.
TEST(PlatformsThatDoNotFold, RelaysSimulateEveryRank) {
  Scenario scenario = small_scenario();
  scenario.job().sizes = {.tp = 2, .pp = 3};
  scenario.job().layers_per_stage = {3, 3, 2};
  scenario.cluster.nodes = 2;
  scenario.cluster.gpus_per_node = 3;
  scenario.cluster.fabric = {.nodes_per_leaf = 2, .rails = Rails::Apart};
  EXPECT_EQ(expect_folded_equals_full(scenario), scenario.job().sizes.world());
}

} // namespace
} // namespace moesim::run
