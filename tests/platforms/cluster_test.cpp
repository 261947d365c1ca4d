#include "platforms/cluster.hpp"

#include <gmock/gmock.h>

#include "platforms/links.hpp"
#include "tests/platforms/cluster_text.hpp"

namespace moesim::platforms {
namespace {

using testing::HasSubstr;

TEST(Cluster, ACatalogueNameWithChangesIsTheCatalogueWithChanges) {
  const Cluster plain = read("platform: dgx-h100");
  const Cluster changed = read("platform: {base: dgx-h100, nodes: 3, node: {nic: {bandwidth_per_direction: 200Gbps}}}");
  EXPECT_EQ(changed.nodes, 3);
  EXPECT_EQ(changed.gpu_count(), 24);
  EXPECT_EQ(changed.nic.bandwidth, BytesPerSecond(25e9));
  EXPECT_EQ(changed.nic.latency, plain.nic.latency);
  EXPECT_EQ(changed.nvlink.bandwidth, plain.nvlink.bandwidth);
}

// A bandwidth has two names; the catalogue's file uses the other one.
TEST(Cluster, AChangeMayUseTheOtherName) {
  EXPECT_EQ(read("platform: {base: dgx-h100, node: {nic: {bandwidth: 200Gbps}}}").nic.bandwidth, BytesPerSecond(25e9));
  EXPECT_THAT(error_of("platform: {base: dgx-h100, node: {nic: {bandwidth: 200Gbps, bandwidth_per_direction: 1GB/s}}}"),
              HasSubstr("given twice"));
}

TEST(Cluster, AGpuCanBeChangedOnTheWay) {
  const Cluster cluster = read("platform: {base: dgx-h100, gpu: {base: h100-sxm-80gb, memory: {capacity: 94GB}}}");
  EXPECT_EQ(cluster.gpu.memory_capacity, Bytes(94e9));
  EXPECT_EQ(cluster.gpu.memory_bandwidth, BytesPerSecond(3.35e12));
}

TEST(Cluster, WritesItselfAsYamlThatReadsBack) {
  const std::string changes =
      "platform: {base: dgx-h100, nodes: 2, overrides: [{gpu: 3, speed: 0.8}, "
      "{link: node1.nic2, bandwidth_factor: 0.5}, {link: node0.nvlink1.up, bandwidth_factor: 2}]}";
  const Cluster cluster = read(changes);
  const Cluster again = read("platform:\n" + to_yaml(cluster, 2));
  EXPECT_EQ(to_yaml(again, 2), to_yaml(cluster, 2));
  EXPECT_EQ(describe(again), describe(cluster));
}

TEST(Cluster, OverridesReachExactlyWhatTheyName) {
  const Cluster cluster = read("platform: {base: dgx-h100, nodes: 2, overrides: [{gpu: 9, speed: 0.8}, "
                               "{link: node1.nic2, bandwidth_factor: 0.5}]}");
  EXPECT_EQ(gpu_speed(cluster, 9), 0.8);
  EXPECT_EQ(gpu_speed(cluster, 8), 1);
  for (std::uint32_t link = 0; link < first_trunk(cluster); ++link) {
    const bool is_degraded = link_name(cluster, link).starts_with("node1.nic2.");
    const bool is_nic = link % links_per_gpu(cluster) >= 2;
    const BytesPerSecond whole = is_nic ? cluster.nic.effective() : cluster.nvlink.effective();
    EXPECT_EQ(link_bandwidth(cluster, link), whole * (is_degraded ? 0.5 : 1)) << link_name(cluster, link);
  }
}

TEST(Cluster, NamesEveryLinkDifferently) {
  const Cluster cluster = read("platform: {base: dgx-h100, nodes: 2}");
  EXPECT_EQ(link_name(cluster, link_of(cluster, 10, LinkKind::NicUp)), "node1.nic2.up");
  EXPECT_EQ(link_name(cluster, link_of(cluster, 10, LinkKind::NicDown)), "node1.nic2.down");
  EXPECT_EQ(link_name(cluster, link_of(cluster, 7, LinkKind::NvlinkUp)), "node0.nvlink7.up");
  EXPECT_EQ(link_name(cluster, link_of(cluster, 7, LinkKind::NvlinkDown)), "node0.nvlink7.down");
}

// Five nodes in leaves of two: the last leaf has one node and the trunk of two.
const std::string fat_tree =
    "base: dgx-h100, nodes: 5, fabric: {type: fat-tree, nodes_per_leaf: 2, oversubscription: 4}";

TEST(Fabric, LeavesAreConsecutiveNodes) {
  const Cluster cluster = read("platform: {" + fat_tree + "}");
  EXPECT_EQ(cluster.leaf_count(), 3);
  EXPECT_EQ(cluster.leaf_of(0), 0);
  EXPECT_EQ(cluster.leaf_of(15), 0);
  EXPECT_EQ(cluster.leaf_of(16), 1);
  EXPECT_EQ(cluster.leaf_of(39), 2);
  const Cluster flat = read("platform: {base: dgx-h100, nodes: 5}");
  EXPECT_EQ(flat.leaf_count(), 0);
  EXPECT_EQ(flat.leaf_of(39), flat.leaf_of(0));
  EXPECT_EQ(link_count(flat), 5u * 8 * 4);
}

TEST(Fabric, EachTrunkCarriesTheNicsOfAFullLeafOverTheOversubscription) {
  const Cluster cluster = read("platform: {" + fat_tree + "}");
  EXPECT_EQ(link_count(cluster), 5u * 8 * 4 + 3 * 2);
  for (std::int64_t leaf = 0; leaf < 3; ++leaf)
    for (const Trunk trunk : {Trunk::Up, Trunk::Down})
      EXPECT_EQ(link_bandwidth(cluster, trunk_of(cluster, leaf, trunk)), 16 * cluster.nic.effective() / 4) << leaf;
  EXPECT_EQ(link_bandwidth(cluster, link_of(cluster, 39, LinkKind::NicUp)), cluster.nic.effective());
  const Cluster ideal = read("platform: {base: dgx-h100, nodes: 5, fabric: {type: fat-tree, nodes_per_leaf: 2}}");
  EXPECT_EQ(link_bandwidth(ideal, trunk_of(ideal, 0, Trunk::Up)), 16 * ideal.nic.effective());
}

TEST(Fabric, OverridesReachExactlyTheTrunksTheyName) {
  const Cluster cluster = read("platform: {" + fat_tree +
                               ", overrides: [{link: leaf1.up, bandwidth_factor: 0.5}, "
                               "{link: leaf2, bandwidth_factor: 0.25}]}");
  for (std::uint32_t link = 0; link < link_count(cluster); ++link) {
    const std::string name = link_name(cluster, link);
    const double factor = name == "leaf1.up" ? 0.5 : name.starts_with("leaf2.") ? 0.25 : 1;
    Cluster whole = cluster;
    whole.degraded_links.clear();
    EXPECT_EQ(link_bandwidth(cluster, link), link_bandwidth(whole, link) * factor) << name;
  }
  EXPECT_EQ(link_name(cluster, trunk_of(cluster, 2, Trunk::Down)), "leaf2.down");
  EXPECT_EQ(cluster.degraded_links.size(), 3u);
  for (const char* name : {"leaf3", "leaf1.", "leaf01", "leaf1.nic0", "leaf", "node0"})
    EXPECT_THAT(error_of("platform: {" + fat_tree + ", overrides: [{link: " + name + ", bandwidth_factor: 0.5}]}"),
                HasSubstr(std::string("no link is called '") + name +
                          "'; links are called as `moesim dump platform` prints them, for example node0.nic0, "
                          "node0.nvlink0.up or leaf0.up"));
}

TEST(Fabric, IsWrittenAndDescribed) {
  const Cluster cluster = read("platform: {" + fat_tree + ", overrides: [{link: leaf1.up, bandwidth_factor: 0.5}]}");
  const Cluster again = read("platform:\n" + to_yaml(cluster, 2));
  EXPECT_EQ(again.fabric, cluster.fabric);
  EXPECT_EQ(describe(again), describe(cluster));
  EXPECT_THAT(to_yaml(cluster, 2), HasSubstr("  fabric: {type: fat-tree, nodes_per_leaf: 2, oversubscription: 4}\n"));
  EXPECT_THAT(describe(cluster), HasSubstr(" fabric=fat-tree nodes_per_leaf=2 oversubscription=4 "));
  // 16 NICs of 48 GB/s over 4
  EXPECT_THAT(describe(cluster), HasSubstr("\nleaf0 nodes=0-1\nleaf0.up bandwidth=192 GB/s\nleaf0.down bandwidth=192 "
                                           "GB/s\nleaf1 nodes=2-3\nleaf1.up bandwidth=96 GB/s\n"));
  EXPECT_THAT(describe(cluster), HasSubstr("\nleaf2 nodes=4-4\nleaf2.up bandwidth=192 GB/s\n"));
}

TEST(Cluster, SaysWhichOverrideIsWrong) {
  EXPECT_EQ(error_of("platform: {base: dgx-h100, overrides: [{link: node0.nic8, bandwidth_factor: 0.5}]}"),
            "test.yaml:1:47: platform.overrides.0.link: no link is called 'node0.nic8'; links are called as "
            "`moesim dump platform` prints them, for example node0.nic0 or node0.nvlink0.up\n");
  EXPECT_THAT(error_of("platform: {base: dgx-h100, overrides: [{speed: 0.5}]}"),
              HasSubstr("platform.overrides.0: names neither a GPU nor a link; expected either gpu and speed, or link "
                        "and bandwidth_factor"));
  EXPECT_THAT(error_of("platform: {base: dgx-h100, overrides: [{gpu: 8, speed: 0.5}]}"),
              HasSubstr("platform.overrides.0.gpu: "));
}

} // namespace
} // namespace moesim::platforms
