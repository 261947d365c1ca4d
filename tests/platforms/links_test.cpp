#include "platforms/links.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/platforms/cluster_text.hpp"

namespace moesim::platforms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string nvlink = "nvlink: {bandwidth: 300GB/s, efficiency: 0.5, latency: 1us}";
const std::string mesh = "nvlink: {type: mesh, bandwidth: 300GB/s, efficiency: 0.5, latency: 1us}";
const std::string pcie = "pcie: {bandwidth: 20GB/s, efficiency: 0.8, latency: 1us}";
const std::string nic = "nic: {bandwidth: 100GB/s, efficiency: 0.5, latency: 5us}"; // 50 GB/s

std::vector<std::string> names_of(const Cluster& cluster) {
  std::vector<std::string> names;
  for (std::uint32_t link = 0; link < link_count(cluster); ++link)
    names.push_back(link_name(cluster, link));
  return names;
}

BytesPerSecond bandwidth_of(const Cluster& cluster, const std::string& name) {
  for (std::uint32_t link = 0; link < link_count(cluster); ++link)
    if (link_name(cluster, link) == name)
      return link_bandwidth(cluster, link);
  ADD_FAILURE() << "no link is called " << name;
  return {};
}

const std::vector<std::string> kinds{
    platform(2, "gpus: 2, " + nvlink + ", " + nic, "type: non-blocking"),
    platform(2, "gpus: 3, " + mesh + ", " + nic, "type: non-blocking"),
    platform(2, "gpus: 2, " + pcie + ", " + nic, "type: non-blocking"),
    platform(2, "gpus: 4, " + nvlink + ", " + pcie + ", nic: {bandwidth: 1GB/s, latency: 1us, per_node: 2}",
             "type: non-blocking"),
    platform(5, "gpus: 2, " + nvlink + ", " + nic, "type: fat-tree, levels: 3, nodes_per_leaf: 1, leaves_per_pod: 2"),
    platform(5, "gpus: 2, " + nvlink + ", " + nic,
             "type: fat-tree, levels: 3, nodes_per_leaf: 1, leaves_per_pod: 2, routing: static, uplinks: [2, 3]"),
    platform(4, "gpus: 3, " + nvlink + ", " + nic, "type: rail-optimized, nodes_per_leaf: 2"),
    platform(4, "gpus: 3, " + nvlink + ", " + nic, "type: rail-only"),
};

TEST(Links, AreNamedByWhatTheyAre) {
  EXPECT_THAT(names_of(read(platform(1, "gpus: 2, " + nvlink + ", " + nic, "type: non-blocking"))),
              ElementsAre("node0.nvlink0.up", "node0.nvlink0.down", "node0.nic0.up", "node0.nic0.down",
                          "node0.nvlink1.up", "node0.nvlink1.down", "node0.nic1.up", "node0.nic1.down"));
  EXPECT_THAT(names_of(read(platform(1, "gpus: 3, " + mesh + ", " + nic, "type: non-blocking"))),
              ElementsAre("node0.nvlink0.to1", "node0.nvlink0.to2", "node0.nic0.up", "node0.nic0.down",
                          "node0.nvlink1.to0", "node0.nvlink1.to2", "node0.nic1.up", "node0.nic1.down",
                          "node0.nvlink2.to0", "node0.nvlink2.to1", "node0.nic2.up", "node0.nic2.down"));
  EXPECT_THAT(names_of(read(platform(1, "gpus: 2, " + pcie + ", nic: {bandwidth: 1GB/s, latency: 1us, per_node: 1}",
                                     "type: fat-tree, nodes_per_leaf: 1, routing: static, uplinks: 2"))),
              ElementsAre("node0.pcie0.up", "node0.pcie0.down", "node0.pcie1.up", "node0.pcie1.down", "node0.nic0.up",
                          "node0.nic0.down", "leaf0.uplink0.up", "leaf0.uplink0.down", "leaf0.uplink1.up",
                          "leaf0.uplink1.down"));
}

TEST(Links, NoTwoAreCalledAlikeAndEachIsFoundByItsName) {
  for (const std::string& yaml : kinds) {
    Cluster cluster = read(yaml);
    const std::vector<std::string> names = names_of(cluster);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << yaml;
    for (std::uint32_t link = 0; link < names.size(); ++link) {
      const std::string with_override =
          yaml.substr(0, yaml.size() - 1) + ", overrides: [{link: " + names[link] + ", bandwidth_factor: 0.5}]}";
      const Cluster degraded = read(with_override);
      ASSERT_EQ(degraded.degraded_links.size(), 1u) << names[link];
      EXPECT_EQ(degraded.degraded_links[0].link, link) << names[link];
    }
  }
}

// A GPU's port of 150 GB/s is spread over the cables to the two others.
TEST(Links, CablesOfAMeshAddUpToThePort) {
  const Cluster cluster = read(kinds[1]);
  EXPECT_EQ(bandwidth_of(cluster, "node1.nvlink2.to0"), BytesPerSecond(75e9));
  EXPECT_EQ(cable_of(cluster, 5, 3), cluster.gpu_count() * 4 - 4);
  EXPECT_EQ(link_name(cluster, cable_of(cluster, 5, 3)), "node1.nvlink2.to0");
  EXPECT_EQ(link_name(cluster, cable_of(cluster, 3, 5)), "node1.nvlink0.to2");
  EXPECT_EQ(node_bandwidth(cluster, 3), BytesPerSecond(150e9));
  EXPECT_EQ(node_bandwidth(cluster, 2), BytesPerSecond(75e9));
}

TEST(Links, NicsOfOneGpuAddUpAndGpusOfOneNicShareIt) {
  const auto with = [](int per_node) {
    return read(platform(2,
                         "gpus: 4, " + nvlink + ", " + pcie +
                             ", nic: {bandwidth: 6GB/s, latency: 5us, per_node: " + std::to_string(per_node) + "}",
                         "type: non-blocking"));
  };
  const Cluster several = with(12);
  EXPECT_EQ(bandwidth_of(several, "node1.nic3.up"), BytesPerSecond(18e9));
  EXPECT_EQ(nic_bandwidth(several), BytesPerSecond(16e9)); // the PCIe hop
  const Cluster shared = with(2);
  EXPECT_EQ(bandwidth_of(shared, "node1.nic1.up"), BytesPerSecond(6e9));
  EXPECT_EQ(nic_bandwidth(shared), BytesPerSecond(3e9));
  EXPECT_EQ(site_of(shared, Tier::Nic, 5), 2);
  EXPECT_EQ(site_of(shared, Tier::Nic, 6), 3);
  EXPECT_EQ(site_count(shared, Tier::Nic), 4);
}

// 2 nodes a leaf, 4 GPUs with 2 NICs of 50 GB/s each, 3 leaves a pod.
TEST(Links, TrunksCarryWhatIsBelowOverTheOversubscription) {
  const std::string node = "gpus: 4, " + nvlink + ", nic: {bandwidth: 50GB/s, latency: 5us, per_node: 8}";
  const Cluster tree = read(
      platform(24, node, "type: fat-tree, levels: 3, nodes_per_leaf: 2, leaves_per_pod: 3, oversubscription: [2, 4]"));
  EXPECT_EQ(bandwidth_of(tree, "leaf11.up"), BytesPerSecond(16 * 50e9 / 2));
  EXPECT_EQ(bandwidth_of(tree, "pod3.down"), BytesPerSecond(3 * 16 * 50e9 / 2 / 4));
  EXPECT_EQ(bisection_bandwidth(tree), BytesPerSecond(4 * 3 * 16 * 50e9 / 2 / 4 / 2));
  const Cluster rails = read(platform(24, node, "type: rail-optimized, nodes_per_leaf: 8, oversubscription: 2"));
  EXPECT_EQ(rails.leaf_count(), 3 * 4);
  EXPECT_EQ(bandwidth_of(rails, "leaf11.up"), BytesPerSecond(8 * 2 * 50e9 / 2));
  EXPECT_EQ(bisection_bandwidth(rails), BytesPerSecond(24 * 8 * 50e9 / 2 / 2));
  // A last leaf with one node sends no more than that has.
  const Cluster uneven = read(platform(3, node, "type: fat-tree, nodes_per_leaf: 2, oversubscription: 2"));
  EXPECT_EQ(bisection_bandwidth(uneven), BytesPerSecond((16 * 50e9 / 2 + 8 * 50e9) / 2));
  const Cluster flat = read(platform(24, node, "type: non-blocking"));
  EXPECT_EQ(bisection_bandwidth(flat), BytesPerSecond(24 * 8 * 50e9 / 2));
}

// However many they are, and whichever routing: the uplinks of a leaf are its trunk.
TEST(Links, UplinksAddUpToTheTrunk) {
  const Cluster whole = read(kinds[4]);
  const Cluster divided = read(kinds[5]);
  std::map<std::string, BytesPerSecond> of_site;
  for (std::uint32_t link = first_trunk(divided); link < link_count(divided); ++link) {
    const std::string name = link_name(divided, link);
    const std::string direction = name.substr(name.rfind('.'));
    of_site[name.substr(0, name.find('.')) + direction] += link_bandwidth(divided, link);
  }
  EXPECT_EQ(of_site.size(), 2u * (5 + 3));
  for (const auto& [name, bandwidth] : of_site)
    EXPECT_DOUBLE_EQ(bandwidth.value(), bandwidth_of(whole, name).value()) << name;
  EXPECT_EQ(bisection_bandwidth(divided), bisection_bandwidth(whole));
}

TEST(Links, ALeafNamesAllItsUplinks) {
  const Cluster cluster = read(kinds[5].substr(0, kinds[5].size() - 1) +
                               ", overrides: [{link: leaf1, bandwidth_factor: 0.5}, {link: pod0.uplink2, "
                               "bandwidth_factor: 0.5}]}");
  std::vector<std::string> names;
  for (const LinkOverride& degraded : cluster.degraded_links)
    names.push_back(link_name(cluster, degraded.link));
  EXPECT_THAT(names, ElementsAre("leaf1.uplink0.up", "leaf1.uplink0.down", "leaf1.uplink1.up", "leaf1.uplink1.down",
                                 "pod0.uplink2.up", "pod0.uplink2.down"));
}

// Whatever GPUs a job has: the trunks above each of them, and no others.
TEST(Links, AJobReachesTheTrunksAboveItsGpus) {
  for (const std::string& yaml : kinds) {
    const Cluster cluster = read(yaml);
    std::set<std::uint32_t> above;
    for (std::uint32_t gpu = 0; gpu < cluster.gpu_count(); ++gpu) {
      for (const Tier tier : tiers)
        for (std::uint32_t uplink = 0; site_count(cluster, tier) > 0 && uplink < uplinks_of(cluster, tier); ++uplink)
          above.insert(trunk_number(cluster, trunk_of(cluster, tier, site_of(cluster, tier, gpu), Trunk::Up, uplink)));
      EXPECT_EQ(trunks_above(cluster, gpu + 1), std::vector<std::uint32_t>(above.begin(), above.end()))
          << yaml << " " << gpu;
    }
    EXPECT_EQ(first_trunk(cluster) + above.size() * links_per_trunk, link_count(cluster));
  }
}

TEST(Links, AreWrittenAndDescribed) {
  for (const std::string& yaml : kinds) {
    const Cluster cluster = read(yaml);
    const Cluster again = read("platform:\n" + to_yaml(cluster, 2));
    EXPECT_EQ(again.fabric, cluster.fabric) << yaml;
    EXPECT_EQ(again.nvlink, cluster.nvlink) << yaml;
    EXPECT_EQ(again.pcie, cluster.pcie) << yaml;
    EXPECT_EQ(describe(again), describe(cluster));
    const std::string text = describe(cluster);
    for (const std::string& name : names_of(cluster))
      EXPECT_THAT(text, HasSubstr("\n" + name + " bandwidth=")) << yaml;
  }
  EXPECT_THAT(describe(read(kinds[6])), HasSubstr("\nleaf5 nodes=2-3 rail=2\nleaf5.up bandwidth=100 GB/s\n"));
  EXPECT_THAT(describe(read(kinds[5])), HasSubstr("\npod2 leaves=4-4\npod2.uplink0.up bandwidth="));
  EXPECT_THAT(describe(read(kinds[5])), HasSubstr(" fabric=fat-tree levels=3 nodes_per_leaf=1 leaves_per_pod=2 "
                                                  "oversubscription=[1, 1] uplinks=[2, 3] routing=static "));
}

} // namespace
} // namespace moesim::platforms
