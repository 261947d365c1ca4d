#include "platforms/cluster.hpp"

#include <gmock/gmock.h>

namespace moesim::platforms {
namespace {

using testing::HasSubstr;

Cluster read(const std::string& yaml) {
  const config::Node root = config::parse_yaml(yaml, "test.yaml");
  Problems problems;
  Cluster cluster = read_cluster(*root.find("platform"), "platform", problems);
  problems.throw_if_any();
  return cluster;
}

std::string error_of(const std::string& yaml) {
  try {
    (void)read(yaml);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

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
  for (std::uint32_t link = 0; link < cluster.gpu_count() * links_per_gpu; ++link) {
    const bool is_degraded = link_name(cluster, link).starts_with("node1.nic2.");
    const bool is_nic = link % links_per_gpu >= 2;
    const BytesPerSecond whole = is_nic ? cluster.nic.effective() : cluster.nvlink.effective();
    EXPECT_EQ(link_bandwidth(cluster, link), whole * (is_degraded ? 0.5 : 1)) << link_name(cluster, link);
  }
}

TEST(Cluster, NamesEveryLinkDifferently) {
  const Cluster cluster = read("platform: {base: dgx-h100, nodes: 2}");
  EXPECT_EQ(link_name(cluster, link_of(10, LinkKind::NicUp)), "node1.nic2.up");
  EXPECT_EQ(link_name(cluster, link_of(10, LinkKind::NicDown)), "node1.nic2.down");
  EXPECT_EQ(link_name(cluster, link_of(7, LinkKind::NvlinkUp)), "node0.nvlink7.up");
  EXPECT_EQ(link_name(cluster, link_of(7, LinkKind::NvlinkDown)), "node0.nvlink7.down");
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
