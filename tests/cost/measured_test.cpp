// The catalogue's clusters against published measurements. Most were fitted to such data (the files say which); rows
// marked "not fitted" were not, and test the form of the model.
#include <gtest/gtest.h>

#include "platforms/links.hpp"
#include "simulator/config/node.hpp"
#include "tests/cost/test_group.hpp"

namespace moesim::cost {
namespace {

using graph::Kind;

platforms::Cluster catalogue(const std::string& name, int nodes) {
  const config::Node root =
      config::parse_yaml("platform: {base: " + name + ", nodes: " + std::to_string(nodes) + "}", "test.yaml");
  Problems problems;
  platforms::Cluster cluster = platforms::read_cluster(*root.find("platform"), "platform", problems);
  problems.throw_if_any();
  return cluster;
}

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr double gib = 1024 * mib;

struct Measured {
  const char* cluster;
  int nodes;
  std::uint32_t gpus; // of each node
  Kind kind;
  double bytes;
  double microseconds;
  double tolerance; // of the ratio
};

void compare(const Measured& row) {
  const platforms::Cluster cluster = catalogue(row.cluster, row.nodes);
  const Seconds time = lone_time({.kind = row.kind, .size = Bytes(row.bytes)},
                                 block(static_cast<std::uint32_t>(row.nodes), row.gpus, cluster), cluster);
  EXPECT_NEAR(time.value() * 1e6 / row.microseconds, 1, row.tolerance)
      << row.cluster << " " << row.nodes << " x " << row.gpus << " " << name_of(row.kind) << " " << row.bytes;
}

// ai-dynamo/aiconfigurator, systems/data/*/nccl (nccl-tests, half).
TEST(Measured, NcclInANode) {
  for (const Measured& row : {
           Measured{"dgx-h200", 1, 2, Kind::AllGather, 64 * mib, 156, 0.1},
           Measured{"dgx-h200", 1, 4, Kind::AllGather, 64 * mib, 188, 0.1},
           Measured{"dgx-h200", 1, 8, Kind::AllGather, 16 * mib, 67, 0.1},
           Measured{"dgx-h200", 1, 8, Kind::AllGather, 1 * mib, 17, 0.15},
           Measured{"dgx-h200", 1, 8, Kind::AllGather, 1 * kib, 10.3, 0.15},
           Measured{"dgx-h200", 1, 4, Kind::ReduceScatter, 16 * mib, 58, 0.15},
           Measured{"dgx-h200", 1, 8, Kind::ReduceScatter, 256 * mib, 716, 0.1},
           Measured{"dgx-h200", 1, 8, Kind::AllToAll, 16 * mib, 73, 0.2},
           Measured{"dgx-h200", 1, 8, Kind::AllToAll, 256 * mib, 771, 0.1},
           Measured{"dgx-h200", 1, 4, Kind::AllReduce, 256 * mib, 1180, 0.1},
           Measured{"dgx-h200", 1, 8, Kind::AllReduce, 512 * mib, 2040, 0.1},
           Measured{"dgx-b200", 1, 2, Kind::AllGather, 256 * mib, 320, 0.1},
           Measured{"dgx-b200", 1, 8, Kind::AllReduce, 64 * kib, 29, 0.15},
           Measured{"dgx-b200", 1, 8, Kind::AllReduce, 256 * mib, 715, 0.1},
           Measured{"dgx-a100-80gb", 1, 8, Kind::AllReduce, 256 * mib, 2183, 0.1},
           Measured{"dgx-a100-80gb", 1, 2, Kind::AllToAll, 64 * mib, 243, 0.1},
           Measured{"gb200-nvl72", 1, 4, Kind::ReduceScatter, 512 * mib, 733, 0.1},
       })
    compare(row);
}

// stas00/ml-engineering, network/README.md: 8 GiB over 4 to 8 H200, bus bandwidths 363, 414, 436, 460 and 473 GB/s; the
// first by rings, the others by NVLS.
TEST(Measured, NvlsByNumberOfGpus) {
  const platforms::Cluster cluster = catalogue("dgx-h200", 1);
  const std::vector<double> gigabytes_per_second{363.3, 414.2, 435.6, 460, 473.1};
  for (std::uint32_t gpus = 4; gpus <= 8; ++gpus) {
    const Call call{.kind = Kind::AllReduce, .size = Bytes(8 * gib)};
    const auto group = block(1, gpus, cluster);
    EXPECT_EQ(plan(call, group, cluster).algorithm, gpus == 4 ? Algorithm::Ring : Algorithm::Nvls);
    const double bus = 2.0 * (gpus - 1) / gpus * 8 * gib / lone_time(call, group, cluster).value() / 1e9;
    EXPECT_NEAR(bus / gigabytes_per_second[gpus - 4], 1, 0.07) << gpus;
  }
}

// NVIDIA/nccl-tests issue 309: 2 and 4 nodes of 8 H100. OCI's GB200 guide: 128 GPUs of two racks (not fitted).
TEST(Measured, NcclBetweenNodes) {
  for (const Measured& row : {
           Measured{"dgx-h100", 2, 8, Kind::AllReduce, 4 * kib, 30, 0.15},
           Measured{"dgx-h100", 2, 8, Kind::AllReduce, 8 * mib, 132.6, 0.15},
           Measured{"dgx-h100", 2, 8, Kind::AllReduce, 16 * gib, 68652, 0.05},
           Measured{"dgx-h100", 4, 8, Kind::AllReduce, 4 * kib, 42, 0.15},
           Measured{"dgx-h100", 4, 8, Kind::AllReduce, 64 * mib, 579, 0.1},
           Measured{"dgx-h100", 4, 8, Kind::AllReduce, 16 * gib, 90986, 0.05},
           Measured{"gb200-nvl72", 2, 64, Kind::AllReduce, 1 * kib, 197, 0.15},
           Measured{"gb200-nvl72", 2, 64, Kind::AllReduce, 512 * mib, 2592, 0.15},
           Measured{"gb200-nvl72", 2, 64, Kind::AllReduce, 32 * gib, 99745, 0.15},
       })
    compare(row);
}

// deepseek-ai/DeepEP README, H800, DeepSeek-V3 (4,096 tokens of 7,168, top 8 of 256 experts, 4 of 8 groups; FP8
// dispatch with a scale for each 128): bandwidth of all copies to nodes, the own one included. Not fitted, but for 8
// GPUs.
TEST(Measured, DeepEpOnH800) {
  const double fp8 = 7168 + 4 * 7168.0 / 128;
  for (const auto& [nodes, bytes, kind, gigabytes] :
       {std::tuple(4, fp8, Kind::Dispatch, 58.0), std::tuple(4, 2 * 7168.0, Kind::Combine, 57.0),
        std::tuple(8, fp8, Kind::Dispatch, 51.0), std::tuple(8, 2 * 7168.0, Kind::Combine, 50.0)}) {
    platforms::Cluster cluster = catalogue("hgx-h800", nodes);
    cluster.gpu.communication.ep = 24; // as the README says
    const Call call{
        .kind = kind,
        .size = Bytes(4096 * 8 * bytes),
        .routing = {.experts = 256, .per_token = 8, .groups = 8, .groups_per_token = 4, .token = Bytes(bytes)},
        .algorithm = Algorithm::DeepEp};
    const auto group = block(static_cast<std::uint32_t>(nodes), 8, cluster);
    const double other_nodes =
        load_of(communication(call, group, cluster)).at(platforms::link_of(cluster, 0, platforms::LinkKind::NicUp));
    const double all = other_nodes * nodes / (nodes - 1); // with those of the own node
    EXPECT_NEAR(all / lone_time(call, group, cluster).value() / 1e9 / gigabytes, 1, 0.1)
        << nodes << " " << name_of(kind);
  }
}

// The same README, low-latency kernels: 128 tokens to 16 ... 256 GPUs, microseconds. Not fitted.
TEST(Measured, DeepEpLowLatencyOnH800) {
  for (const auto& [nodes, there, back] :
       {std::tuple(2, 118, 195), std::tuple(4, 155, 273), std::tuple(8, 173, 314), std::tuple(16, 192, 369)}) {
    const platforms::Cluster cluster = catalogue("hgx-h800", nodes);
    for (const auto& [kind, bytes, microseconds] : {std::tuple(Kind::Dispatch, 7168 + 4 * 7168.0 / 128 + 16, there),
                                                    std::tuple(Kind::Combine, 2 * 7168.0, back)}) {
      const Call call{
          .kind = kind,
          .size = Bytes(128 * 8 * bytes),
          .routing = {.experts = 256, .per_token = 8, .groups = 1, .groups_per_token = 1, .token = Bytes(bytes)},
          .algorithm = Algorithm::DeepEpLowLatency};
      EXPECT_NEAR(lone_time(call, block(static_cast<std::uint32_t>(nodes), 8, cluster), cluster).value() * 1e6 /
                      microseconds,
                  1, 0.15)
          << nodes << " " << name_of(kind);
    }
  }
}

} // namespace
} // namespace moesim::cost
