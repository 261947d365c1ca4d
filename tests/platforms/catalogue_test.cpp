// Every file of the catalogue reads without complaint, and every figure in it says where it comes from.
#include <array>
#include <cctype>
#include <fstream>

#include <gtest/gtest.h>

#include "platforms/cluster.hpp"
#include "platforms/links.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/catalogue.hpp"

namespace moesim::platforms {
namespace {

config::Node named(const std::string& name) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = name;
  return node;
}

TEST(Catalogue, EveryGpuReads) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Gpu);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    Problems problems;
    const Gpu gpu = read_gpu(named(name), "gpu", problems);
    EXPECT_NO_THROW(problems.throw_if_any()) << name;
    EXPECT_EQ(gpu.name, name);
  }
}

Gpu gpu_named(const std::string& name) {
  Problems problems;
  Gpu gpu = read_gpu(named(name), "gpu", problems);
  problems.throw_if_any();
  return gpu;
}

// Every GPU on the market says what communication takes of it, of as many multiprocessors as its curves count; no
// stream takes a quarter. The documents with GPUs of their own say nothing.
TEST(Catalogue, CommunicationTakesAPart) {
  for (const std::string& name : config::catalogue_names(config::CatalogueKind::Gpu)) {
    const Gpu gpu = gpu_named(name);
    const CommunicationKernels& kernels = gpu.communication;
    if (name.starts_with("moe")) {
      EXPECT_EQ(kernels, CommunicationKernels{}) << name;
      continue;
    }
    EXPECT_EQ(kernels.multiprocessors, gemm_curve_of(gpu, Precision::Bf16).multiprocessors) << name;
    for (const std::int64_t taken : {kernels.tp, kernels.cp, kernels.ep, kernels.dp, kernels.pp}) {
      EXPECT_GT(taken, 0) << name;
      EXPECT_LT(4 * taken, kernels.multiprocessors) << name;
    }
  }
}

Operator gemm(Precision precision, std::int64_t m, std::int64_t n, std::int64_t k) {
  Operator op;
  op.kind = OperatorKind::Gemm;
  op.precision = precision;
  op.m = m;
  op.n = n;
  op.k = k;
  op.flops = Flops(2.0 * static_cast<double>(m * n) * static_cast<double>(k));
  return op;
}

// In every precision that a GPU has: more work never takes less time, and no shape is faster than the peak.
TEST(Catalogue, CurvesAreMonotoneAndBounded) {
  for (const std::string& name : config::catalogue_names(config::CatalogueKind::Gpu)) {
    const Gpu gpu = gpu_named(name);
    for (std::size_t at = 0; at < precision_count; ++at) {
      if (!gpu.peak[at])
        continue;
      const auto precision = static_cast<Precision>(at);
      for (const int grown : {0, 1, 2}) {
        Seconds before;
        for (std::int64_t size = 16; size <= 65536; size += 1 + size / 7) {
          std::array<std::int64_t, 3> shape{4096, 2048, 1024};
          shape[static_cast<std::size_t>(grown)] = size;
          const Operator op = gemm(precision, shape[0], shape[1], shape[2]);
          const Seconds now = time_of(op, gpu);
          EXPECT_GE(now.value(), before.value() * (1 - 1e-12)) << name << ' ' << name_of(precision) << ' ' << size;
          EXPECT_GE(now, op.flops / *gpu.peak[at]) << name << ' ' << name_of(precision) << ' ' << size;
          before = now;
        }
      }
    }
  }
}

// Eight-bit products of GPUs that have them are faster than sixteen-bit ones, but by less than their peaks say.
TEST(Catalogue, Fp8GainsLessThanItsPeak) {
  for (const char* name : {"h100-sxm-80gb", "h800-sxm-80gb", "h200-sxm-141gb", "b200-sxm-180gb", "b300-sxm-288gb",
                           "gb200-186gb", "gb300-278gb"}) {
    const Gpu gpu = gpu_named(name);
    const double gain =
        time_of(gemm(Precision::Bf16, 8192, 8192, 8192), gpu) / time_of(gemm(Precision::Fp8, 8192, 8192, 8192), gpu);
    EXPECT_GT(gain, 1.6) << name;
    EXPECT_LT(gain, peak_of(gpu, Precision::Fp8) / peak_of(gpu, Precision::Bf16)) << name;
  }
}

struct PublishedGemm {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  double tflops;
};

// deepseek-ai/DeepGEMM, README.md of 2025-04-03, "Normal GEMMs for dense models": H800 SXM5, inputs in FP8 already. Its
// scales per block cost what a scale per tensor does not, so the curve may be faster, as other libraries are.
TEST(Catalogue, Fp8OfAnH800IsThatOfDeepGemm) {
  const Gpu gpu = gpu_named("h800-sxm-80gb");
  double mean_ratio = 0;
  for (const PublishedGemm& row : {PublishedGemm{4096, 2112, 7168, 1009}, PublishedGemm{4096, 24576, 1536, 1125},
                                   PublishedGemm{4096, 7168, 16384, 1426}, PublishedGemm{4096, 4096, 7168, 1265},
                                   PublishedGemm{4096, 7168, 2048, 1168}}) {
    const Operator op = gemm(Precision::Fp8, row.m, row.n, row.k);
    const double tflops = (op.flops / time_of(op, gpu)).value() / 1e12;
    EXPECT_GT(tflops, 0.9 * row.tflops) << row.n << ' ' << row.k;
    mean_ratio += tflops / row.tflops / 5;
  }
  EXPECT_LT(mean_ratio, 1.2);
}

// ai-dynamo/aiconfigurator, systems/data/h100_sxm/gemm/trtllm/1.3.0rc20: a linear layer in FP8 casts its BF16 input,
// too: two reads, for the largest value and for the cast, and one write.
TEST(Catalogue, Fp8OfAnH100WithItsCastIsThatOfTensorRtLlm) {
  const Gpu gpu = gpu_named("h100-sxm-80gb");
  for (const PublishedGemm& row : {PublishedGemm{4096, 4096, 4096, 911.8}, PublishedGemm{16384, 6144, 4096, 1145.7},
                                   PublishedGemm{4096, 8192, 8192, 1231.0}, PublishedGemm{8192, 8192, 8192, 1242.5},
                                   PublishedGemm{32768, 8192, 8192, 1238.7}}) {
    const Operator op = gemm(Precision::Fp8, row.m, row.n, row.k);
    Operator cast;
    cast.bytes = Bytes(5.0 * static_cast<double>(row.m * row.k));
    const double tflops = (op.flops / (time_of(op, gpu) + time_of(cast, gpu))).value() / 1e12;
    EXPECT_GT(tflops, 0.9 * row.tflops) << row.m << ' ' << row.n << ' ' << row.k;
    EXPECT_LT(tflops, 1.15 * row.tflops) << row.m << ' ' << row.n << ' ' << row.k;
  }
}

TEST(Catalogue, EveryClusterReads) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Cluster);
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    Problems problems;
    const Cluster cluster = read_cluster(named(name), "platform", problems);
    EXPECT_NO_THROW(problems.throw_if_any()) << name;
    EXPECT_EQ(cluster.name, name);
  }
}

// What a platform is, in the numbers that its sources print.
TEST(Catalogue, PlatformsAreWiredAsTheirSourcesSay) {
  const auto cluster_named = [](const std::string& name) {
    Problems problems;
    Cluster cluster = read_cluster(named(name), "platform", problems);
    problems.throw_if_any();
    return cluster;
  };
  // Two scalable units of 32 nodes with eight leaves each (RA-11333-001); full bisection bandwidth.
  Cluster superpod = cluster_named("dgx-superpod-h100");
  superpod.nodes = 64;
  EXPECT_EQ(superpod.leaf_count(), 16);
  EXPECT_EQ(bisection_bandwidth(superpod), 256 * nic_bandwidth(superpod));
  // 3,072 GPUs a pod; eight of them are 24,576 GPUs, and between pods a seventh of the bandwidth (arXiv 2407.21783).
  Cluster roce = cluster_named("hgx-h100-roce");
  roce.nodes = 3072;
  EXPECT_EQ(roce.gpu_count(), 24'576);
  EXPECT_EQ(roce.pod_count(), 8);
  EXPECT_EQ(roce.pod_of(3071), 0);
  EXPECT_EQ(roce.pod_of(3072), 1);
  EXPECT_NEAR(bisection_bandwidth(roce) / (24'576 / 2 * nic_bandwidth(roce)), 1.0 / 7, 1e-12);
  // Twelve NVLinks of 25 GB/s a direction, four to each other GPU.
  const Cluster mesh = cluster_named("hgx-a100-4gpu");
  EXPECT_EQ(whole_bandwidth(mesh, cable_of(mesh, 0, 3)), BytesPerSecond(100e9) * mesh.nvlink.efficiency);
  EXPECT_EQ(cluster_named("dgx-h100-rail-only").fabric.rails, Rails::Apart);
  EXPECT_EQ(cluster_named("l40s-pcie").node_network, NodeNetwork::Pcie);
  Cluster tree = cluster_named("dgx-h100-fat-tree");
  tree.nodes = 16;
  EXPECT_EQ(bisection_bandwidth(tree), 64 * nic_bandwidth(tree) / 2);
}

// "key: 12GB # where from": a line with a figure has a comment. (nodes, gpus and version describe the file itself.)
TEST(Catalogue, EveryFigureNamesItsSource) {
  for (const char* folder : {"platforms/gpus", "platforms/clusters"}) {
    for (const auto& file : std::filesystem::directory_iterator(config::catalogue_root() / folder)) {
      std::ifstream stream(file.path());
      for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(": ");
        const std::size_t comment = line.find('#');
        if (colon == std::string::npos || (comment != std::string::npos && comment < colon))
          continue;
        const std::string key = line.substr(line.find_first_not_of(' '), colon - line.find_first_not_of(' '));
        const bool is_figure = std::isdigit(static_cast<unsigned char>(line[colon + 2])) != 0;
        if (is_figure && key != "version" && key != "nodes" && key != "gpus") {
          EXPECT_NE(comment, std::string::npos) << file.path().filename() << ": " << line;
        }
      }
    }
  }
}

} // namespace
} // namespace moesim::platforms
