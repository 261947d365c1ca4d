// Topologies in words and as pictures.
#include <cstddef>
#include <string>

#include <gmock/gmock.h>

#include "analysis/topology_svg.hpp"
#include "analysis/topology_words.hpp"

namespace moesim::analysis {
namespace {

using platforms::Cluster;
using platforms::NodeNetwork;
using platforms::Rails;
using platforms::Routing;
using testing::HasSubstr;
using testing::Not;

// 90 GB/s NICs, 450 GB/s NVLink.
Cluster cluster_of(std::int64_t nodes, std::int64_t gpus) {
  Cluster cluster;
  cluster.name = "tiny & <small>";
  cluster.nodes = nodes;
  cluster.gpus_per_node = gpus;
  cluster.nvlink = {BytesPerSecond(500e9), 0.9, Seconds(1e-6), Seconds(1e-6)};
  cluster.nic = {BytesPerSecond(100e9), 0.9, Seconds(5e-6), Seconds(5e-6)};
  return cluster;
}

std::string words_of(const Cluster& cluster) {
  std::string text;
  for (const TopologyLine& line : topology_words(cluster))
    text += line.what + ": " + line.words + "\n";
  return text;
}

TEST(Topology, SaysWhatEachTierCarries) {
  Cluster cluster = cluster_of(16, 8);
  EXPECT_EQ(words_of(cluster), "NVLink switches: 450 GB/s a GPU, between any of the 8 of a node\n"
                               "NIC: 90 GB/s, one a GPU\n"
                               "switches on the way: 1 between any two nodes\n"
                               "bisection: 5.76 TB/s, 90 GB/s for each GPU of a half\n");
  cluster.fabric = {.nodes_per_leaf = 2, .oversubscription = 2, .leaves_per_pod = 4, .pod_oversubscription = 3};
  cluster.fabric.hop_latency = Seconds(1e-7);
  EXPECT_EQ(words_of(cluster),
            "NVLink switches: 450 GB/s a GPU, between any of the 8 of a node\n"
            "NIC: 90 GB/s, one a GPU\n"
            "leaf to spine: 720 GB/s for 2 nodes, oversubscribed 2:1, shared ideally\n"
            "pod to core: 960 GB/s for 4 leaves, oversubscribed 3:1, shared ideally\n"
            "switches on the way: same leaf 1 (+0 s), other leaf 3 (+200 ns), other pod 5 (+400 ns)\n"
            "bisection: 960 GB/s, 15 GB/s for each GPU of a half\n");
}

TEST(Topology, SaysHowANodeIsWired) {
  Cluster mesh = cluster_of(2, 4);
  mesh.node_network = NodeNetwork::Mesh;
  mesh.pcie = {BytesPerSecond(30e9), 1, Seconds(0), Seconds(0)};
  mesh.nics_per_node = 2;
  mesh.fabric = {.nodes_per_leaf = 2, .rails = Rails::Apart, .sharp = true};
  EXPECT_EQ(words_of(mesh), "NVLink mesh: 450 GB/s a GPU, 150 GB/s to each of the 3 others of its node\n"
                            "PCIe hop: 30 GB/s a GPU, to its NIC\n"
                            "NIC: 90 GB/s, shared by 2 GPUs: 30 GB/s each\n"
                            "switches on the way: 1 on a rail; to another rail over the NVLink of the sender's node "
                            "first\n"
                            "bisection: 120 GB/s, 30 GB/s for each GPU of a half\n"
                            "SHARP: switches reduce what passes through them\n");
  Cluster pcie = mesh;
  pcie.node_network = NodeNetwork::Pcie;
  pcie.nics_per_node = 8;
  pcie.fabric = {.nodes_per_leaf = 1, .rails = Rails::Joined, .routing = Routing::Hashed, .uplinks = 4};
  EXPECT_EQ(words_of(pcie), "PCIe: 30 GB/s a GPU, for the 4 GPUs of a node and for its NIC together\n"
                            "NIC: 90 GB/s, 2 a GPU: 30 GB/s a GPU\n"
                            "leaf to spine: 180 GB/s for 1 node, one rail, oversubscribed 1:1, 4 uplinks, chosen by "
                            "hash\n"
                            "switches on the way: same rail and group of nodes 1 (+0 s), other leaf 3 (+0 s)\n"
                            "bisection: 120 GB/s, 30 GB/s for each GPU of a half\n");
}

std::ptrdiff_t count_of(const std::string& text, const std::string& what) {
  std::ptrdiff_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

TEST(Topology, DrawsEveryPartOfASmallCluster) {
  Cluster cluster = cluster_of(2, 4);
  cluster.fabric = {.nodes_per_leaf = 1, .leaves_per_pod = 1};
  const std::string svg = topology_svg(cluster);
  EXPECT_EQ(count_of(svg, "class=\"gpu\""), 8);
  EXPECT_EQ(count_of(svg, "class=\"nic\""), 8);
  EXPECT_EQ(count_of(svg, "class=\"node\""), 2);
  EXPECT_EQ(count_of(svg, "class=\"switch\""), 2 + 2 + 1); // leaves, spines of pods, core
  EXPECT_EQ(count_of(svg, "class=\"trunk\""), 2 + 2);
  EXPECT_THAT(svg, HasSubstr("tiny &amp; &lt;small&gt;: 2 nodes of 4"));
  EXPECT_THAT(svg, Not(HasSubstr("not shown")));
  cluster.node_network = NodeNetwork::Mesh;
  EXPECT_EQ(count_of(topology_svg(cluster), "<path class=\"cable\""), 2 * 6); // pairs
  cluster.nics_per_node = 2;
  cluster.pcie = cluster.nic;
  EXPECT_EQ(count_of(topology_svg(cluster), "class=\"nic\""), 4);
}

TEST(Topology, AbbreviatesALargeCluster) {
  Cluster cluster = cluster_of(50'000, 72);
  cluster.fabric = {.nodes_per_leaf = 4, .rails = Rails::Joined};
  const std::string svg = topology_svg(cluster);
  EXPECT_EQ(count_of(svg, "class=\"gpu\""), 3 * 8);
  EXPECT_THAT(svg, HasSubstr("node 49999, 49,997 nodes before it not shown, 64 GPUs not shown"));
  EXPECT_LT(svg.size(), 40'000u);
  for (std::size_t at = svg.find(" x=\""); at != std::string::npos; at = svg.find(" x=\"", at + 1)) {
    const double x = std::stod(svg.substr(at + 4));
    EXPECT_GE(x, 0);
    EXPECT_LE(x, 1200);
  }
}

} // namespace
} // namespace moesim::analysis
