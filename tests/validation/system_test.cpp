// Descriptions of systems: which cluster, how many nodes, which NICs.
#include <gtest/gtest.h>

#include "simulator/validation/system.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

platforms::Cluster cluster(const std::string& system, std::int64_t gpus, const std::string& config = "") {
  const Entry entry = entry_of(system, "  config: {" + config + "}\n  measured: {}\n");
  return cluster_of(system_of(entry, gpus, read_vocabulary()));
}

TEST(System, NodesHoldTheGpusEvenly) {
  EXPECT_EQ(cluster("DGX H100", 64).nodes, 8);
  EXPECT_EQ(cluster("DGX H100", 64).gpus_per_node, 8);
  EXPECT_EQ(cluster("DGX H100", 2).nodes, 1);
  EXPECT_EQ(cluster("DGX H100", 8, "num_nodes: 2").gpus_per_node, 4);
  EXPECT_EQ(cluster("DGX H100", 2, "num_nodes: 2, gpus_per_node: 1").gpus_per_node, 1);
}

// Whatever a tray holds, NVLink joins the 72 GPUs of a rack; a job takes equally many of each.
TEST(System, RacksAreNodes) {
  EXPECT_EQ(cluster("OCI GB200 (4 GPUs/node, NVL72 rack)", 64, "gpus_per_node: 4").nodes, 1);
  EXPECT_EQ(cluster("GB200 NVL72", 128).nodes, 2);
  EXPECT_EQ(cluster("GB200 NVL72", 128).gpus_per_node, 64);
  EXPECT_EQ(cluster("GB200 NVL72", 480).gpus_per_node, 60);
}

TEST(System, NicsAreAsTheDescriptionSays) {
  const auto gigabytes = [](const std::string& system) { return cluster(system, 16).nic.bandwidth.value() / 1e9; };
  EXPECT_DOUBLE_EQ(gigabytes("A100, 8 GPUs/node, 800 Gb/s inter-node per node (4 HCAs)"), 12.5);
  EXPECT_DOUBLE_EQ(gigabytes("DGX A100, 8x 200 Gb/s IB per node"), 25);
  EXPECT_DOUBLE_EQ(gigabytes("4x AWS P6-B200 (8x B200, NVLink 5; 8x 50 GB/s EFA v4 per node)"), 50);
  EXPECT_DOUBLE_EQ(gigabytes("8x H200/node, 200 Gb/s CX-7 RDMA per GPU"), 25);
  EXPECT_DOUBLE_EQ(gigabytes("DGX H100"), 50); // of the catalogue
}

TEST(System, WhatNoRuleKnowsIsNotGuessed) {
  EXPECT_THROW(static_cast<void>(cluster("a cluster", 8)), Unpredictable);
}

// H200, GH200 and H20 are words of their own, and so is PCIe.
TEST(System, AGpuThatIsInNoClusterIsSet) {
  EXPECT_EQ(cluster("NVIDIA GH200 SXM", 1).gpu.name, "gh200-144gb");
  EXPECT_EQ(cluster("H20", 8).gpu.name, "h20-96gb");
  EXPECT_EQ(cluster("A100 PCIe", 8).gpu.name, "a100-pcie-80gb");
  EXPECT_EQ(cluster("A100 PCIe", 8).node_network, platforms::NodeNetwork::Pcie);
}

} // namespace
} // namespace moesim::validation
