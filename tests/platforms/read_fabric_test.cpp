// Platforms that cannot be, and what is said about them.
#include <gmock/gmock.h>

#include "tests/platforms/cluster_text.hpp"

namespace moesim::platforms {
namespace {

using testing::HasSubstr;

const std::string node = "gpus: 8, nvlink: {bandwidth: 450GB/s, latency: 1us}, nic: {bandwidth: 50GB/s, latency: 5us}";

// The messages without their places.
std::vector<std::string> problems_of(const std::string& yaml) {
  std::vector<std::string> messages;
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems())
      messages.push_back(problem.field + ": " + problem.message);
  }
  return messages;
}

std::vector<std::string> problems_of_fabric(const std::string& fabric, int nodes = 64) {
  return problems_of(platform(nodes, node, fabric));
}

std::vector<std::string> problems_of_node(const std::string& text) {
  return problems_of(platform(2, text, "type: non-blocking"));
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ReadNode, NicsAndGpusMustDivide) {
  const auto with = [](const std::string& per_node) {
    return problems_of_node("gpus: 8, nvlink: {bandwidth: 450GB/s, latency: 1us}, pcie: {bandwidth: 60GB/s}, nic: "
                            "{bandwidth: 50GB/s, latency: 5us, per_node: " +
                            per_node + "}");
  };
  EXPECT_THAT(with("3"), ElementsAre("platform.node.nic.per_node: 8 GPUs cannot share 3 NICs evenly; expected 2 or 4"));
  EXPECT_THAT(with("12"), ElementsAre("platform.node.nic.per_node: 8 GPUs cannot share 12 NICs evenly; expected 8 or "
                                      "16"));
  for (const char* right : {"1", "2", "4", "8", "16"})
    EXPECT_THAT(with(right), IsEmpty()) << right;
}

TEST(ReadNode, GpusReachASharedNicOverPcie) {
  EXPECT_THAT(problems_of_node("gpus: 8, nvlink: {bandwidth: 450GB/s, latency: 1us}, nic: {bandwidth: 50GB/s, latency: "
                               "5us, per_node: 4}"),
              ElementsAre("platform.node.nic.per_node: 8 GPUs share 4 NICs, and nothing says how they reach them; add "
                          "pcie: {bandwidth_per_direction: ...} to the node, or expected 8"));
}

TEST(ReadNode, ThereIsNvlinkOrPcie) {
  EXPECT_THAT(problems_of_node("gpus: 8, nic: {bandwidth: 50GB/s, latency: 5us}"),
              ElementsAre("platform.node.nvlink: missing; expected a map of fields"));
  EXPECT_THAT(problems_of_node("gpus: 8, pcie: {bandwidth: 32GB/s}, nic: {bandwidth: 50GB/s, latency: 5us}"),
              ElementsAre("platform.node.pcie.latency: missing; expected a time such as 2us or 1.5ms"));
  EXPECT_THAT(problems_of_node("gpus: 72, nvlink: {type: mesh, bandwidth: 450GB/s, latency: 1us}, nic: {bandwidth: "
                               "50GB/s, latency: 5us}"),
              ElementsAre("platform.node.nvlink.type: a mesh of 72 GPUs needs 71 ports a GPU; expected at most 19 "
                          "GPUs, or type: switch"));
  EXPECT_THAT(problems_of_node("gpus: 8, nvlink: {bandwidth: 0GB/s, latency: 1us}, nic: {bandwidth: 50GB/s, latency: "
                               "5us}"),
              ElementsAre(HasSubstr("platform.node.nvlink.bandwidth: 0GB/s is too small; expected a bandwidth")));
}

TEST(ReadFabric, SaysWhatTheTypeDoesNotHave) {
  EXPECT_THAT(problems_of_fabric("type: non-blocking, routing: static, hop_latency: 1us"),
              ElementsAre("platform.fabric.routing: a non-blocking fabric has no leaves; remove it, or say type: "
                          "fat-tree",
                          "platform.fabric.hop_latency: a non-blocking fabric has no leaves; remove it, or say type: "
                          "fat-tree"));
  EXPECT_THAT(problems_of_fabric("type: rail-only, oversubscription: 2"),
              ElementsAre("platform.fabric.oversubscription: a rail-only fabric has no trunks; remove it, or say type: "
                          "rail-optimized"));
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, leaves_per_pod: 2, seed: 3"),
              ElementsAre("platform.fabric.leaves_per_pod: a fabric with two levels has no pods; remove it, or say "
                          "levels: 3",
                          "platform.fabric.seed: adaptive routing draws nothing; remove it, or say routing: hashed"));
  EXPECT_THAT(
      problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, oversubscription: [1, 2]"),
      ElementsAre("platform.fabric.oversubscription: 2 values for 2 levels; expected one, of the trunks between "
                  "leaves and spine"));
  EXPECT_THAT(problems_of_fabric("type: fat-tree, levels: 3, nodes_per_leaf: 4, oversubscription: [1, 2, 3]"),
              ElementsAre("platform.fabric.leaves_per_pod: missing; expected a whole number from 1 to 4000000",
                          "platform.fabric.oversubscription: 3 values for 3 levels; expected two, of the trunks of "
                          "leaves and of pods"));
}

TEST(ReadFabric, OneValueIsThatOfTheLeaves) {
  const Cluster cluster =
      read(platform(8, node, "type: fat-tree, levels: 3, nodes_per_leaf: 2, leaves_per_pod: 2, oversubscription: 3"));
  EXPECT_EQ(cluster.fabric.oversubscription, 3);
  EXPECT_EQ(cluster.fabric.pod_oversubscription, 1);
}

TEST(ReadFabric, RoutingNeedsUplinksToChooseFrom) {
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, routing: hashed"),
              ElementsAre("platform.fabric.uplinks: missing; hashed routing chooses between the uplinks of a leaf: say "
                          "how many"));
  EXPECT_THAT(
      problems_of_fabric("type: fat-tree, levels: 3, nodes_per_leaf: 4, leaves_per_pod: 2, routing: static, "
                         "uplinks: 8"),
      ElementsAre("platform.fabric.uplinks: says nothing of pods; static routing chooses between their uplinks, "
                  "too: expected two values, such as [8, 8]"));
}

TEST(ReadFabric, EveryGpuMustBeReachable) {
  EXPECT_THAT(
      problems_of_fabric("type: rail-only, nodes_per_leaf: 16"),
      ElementsAre("platform.fabric.nodes_per_leaf: without a spine, nothing joins the 16 nodes of a leaf to the "
                  "other 48; expected 64, or type: rail-optimized"));
  EXPECT_THAT(problems_of_fabric("type: rail-only, nodes_per_leaf: 64"), IsEmpty());
  EXPECT_THAT(problems_of_fabric("type: rail-optimized, levels: 3, nodes_per_leaf: 8, leaves_per_pod: 12"),
              ElementsAre("platform.fabric.leaves_per_pod: 12 cuts through the 8 leaves of a group of nodes, one for "
                          "each rail; expected a multiple of 8"));
}

// A leaf with 4 nodes has 32 NICs, each a port of 50 GB/s.
TEST(ReadFabric, PortsMustAddUp) {
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, switch_ports: 64"), IsEmpty());
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 5, switch_ports: 64"),
              ElementsAre("platform.fabric.switch_ports: 40 ports to NICs and 40 to uplinks are 80 of a leaf switch, "
                          "which has 64; expected at most 4 nodes_per_leaf, or 80 switch_ports"));
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 5, oversubscription: 2, switch_ports: 64"),
              IsEmpty());
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, switch_ports: 64, port_bandwidth: 200Gbps"),
              ElementsAre("platform.fabric.switch_ports: 64 ports to NICs and 64 to uplinks are 128 of a leaf switch, "
                          "which has 64; expected at most 2 nodes_per_leaf, or 128 switch_ports"));
  EXPECT_THAT(problems_of_fabric("type: fat-tree, nodes_per_leaf: 4, uplinks: 8, port_bandwidth: 400Gbps"),
              ElementsAre("platform.fabric.uplinks: 8 uplinks of 50 GB/s are 400 GB/s, and 32 NICs of 50 GB/s over an "
                          "oversubscription of 1 are 1.6 TB/s; expected at least 32 uplinks"));
  EXPECT_THAT(problems_of_fabric("type: rail-only, switch_ports: 32"),
              ElementsAre("platform.fabric.switch_ports: 64 ports to NICs and 0 to uplinks are 64 of a leaf switch, "
                          "which has 32; expected at most 32 nodes, or 64 switch_ports"));
}

// A spine has a cable to each leaf: 64 ports join 64 leaves of 4 nodes.
TEST(ReadFabric, TheSpineHasAPortForEachLeaf) {
  const std::string two = "type: fat-tree, nodes_per_leaf: 4, switch_ports: 64";
  EXPECT_THAT(problems_of_fabric(two, 64 * 4), IsEmpty());
  EXPECT_THAT(
      problems_of_fabric(two, 65 * 4),
      ElementsAre("platform.fabric.switch_ports: a spine switch takes a port for each of 65 leaves, and has 64; "
                  "expected larger leaves, levels: 3, or 65 switch_ports"));
  const std::string three = "type: fat-tree, levels: 3, nodes_per_leaf: 4, switch_ports: 64, leaves_per_pod: ";
  EXPECT_THAT(problems_of_fabric(three + "32", 64 * 32 * 4), IsEmpty());
  EXPECT_THAT(
      problems_of_fabric(three + "33", 33 * 2 * 4),
      ElementsAre("platform.fabric.switch_ports: a spine switch takes a port for each of 33 leaves and 33 to the "
                  "core, and has 64; expected smaller pods, or 66 switch_ports"));
  EXPECT_THAT(problems_of_fabric(three + "32", 65 * 32 * 4),
              ElementsAre("platform.fabric.switch_ports: a core switch takes a port for each of 65 pods, and has 64; "
                          "expected larger pods, or 65 switch_ports"));
}

// All of them at once, each at its place.
TEST(ReadFabric, SaysEverythingAtOnce) {
  EXPECT_EQ(
      error_of("platform:\n"
               "  base: dgx-h100\n"
               "  nodes: 64\n"
               "  node: {nic: {per_node: 3}}\n"
               "  fabric: {type: fat-tree, nodes_per_leaf: 8, switch_ports: 64, routing: hashd}\n"),
      "test.yaml:4:26: platform.node.nic.per_node: 8 GPUs cannot share 3 NICs evenly; expected 2 or 4\n"
      "test.yaml:5:61: platform.fabric.switch_ports: 64 ports to NICs and 64 to uplinks are 128 of a leaf switch, "
      "which has 64; expected at most 4 nodes_per_leaf, or 128 switch_ports\n"
      "test.yaml:5:74: platform.fabric.routing: unknown value 'hashd'; did you mean 'hashed'? expected one of "
      "hashed, adaptive, static\n");
}

// A fabric of another type replaces that of the base; one of the same type refines it.
TEST(ReadFabric, AnotherTypeStartsAnew) {
  const std::string base = "platform: {base: dgx-superpod-h100, nodes: 4, fabric: ";
  EXPECT_EQ(read(base + "{type: non-blocking}}").fabric, Fabric());
  const Fabric refined = read(base + "{oversubscription: 2}}").fabric;
  EXPECT_EQ(refined.rails, Rails::Joined);
  EXPECT_EQ(refined.oversubscription, 2);
  EXPECT_EQ(refined.nodes_per_leaf, read("platform: dgx-superpod-h100").fabric.nodes_per_leaf);
}

} // namespace
} // namespace moesim::platforms
