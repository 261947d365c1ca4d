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

// Every GPU on the market says what communication takes of its multiprocessors; no stream takes a third.
// The documents with GPUs of their own say nothing.
TEST(Catalogue, CommunicationTakesAPart) {
  for (const std::string& name : config::catalogue_names(config::CatalogueKind::Gpu)) {
    const Gpu gpu = gpu_named(name);
    const CommunicationKernels& kernels = gpu.communication;
    if (name.starts_with("moe")) {
      EXPECT_EQ(kernels, CommunicationKernels{}) << name;
      continue;
    }
    for (const std::int64_t taken : {kernels.tp, kernels.cp, kernels.ep, kernels.dp, kernels.pp}) {
      EXPECT_GT(taken, 0) << name;
      EXPECT_LT(3 * taken, gpu.multiprocessors) << name;
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
  op.bytes = Bytes(static_cast<double>((m + n) * k) * bytes_per_element(precision) +
                   static_cast<double>(m * n) * bytes_per_element(Precision::Bf16));
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
// scales per block cost what a scale per tensor does not, so the curve may be faster, as other libraries are. Its
// benchmark launches each kernel 30 times in a row (deep_gemm/testing/bench.py, bench_kineto()).
constexpr std::int64_t deepgemm_launches = 30;
TEST(Catalogue, Fp8OfAnH800IsThatOfDeepGemm) {
  const Gpu gpu = gpu_named("h800-sxm-80gb");
  double mean_ratio = 0;
  for (const PublishedGemm& row : {PublishedGemm{4096, 2112, 7168, 1009}, PublishedGemm{4096, 24576, 1536, 1125},
                                   PublishedGemm{4096, 7168, 16384, 1426}, PublishedGemm{4096, 4096, 7168, 1265},
                                   PublishedGemm{4096, 7168, 2048, 1168}}) {
    const Operator op = gemm(Precision::Fp8, row.m, row.n, row.k);
    const double tflops = (op.flops / time_in_loop(op, gpu, deepgemm_launches)).value() / 1e12;
    EXPECT_GT(tflops, 0.9 * row.tflops) << row.n << ' ' << row.k;
    mean_ratio += tflops / row.tflops / 5;
  }
  EXPECT_LT(mean_ratio, 1.2);
}

// How often the benchmark of ai-dynamo/aiconfigurator launches a kernel in a row (collector/helper.py).
constexpr std::int64_t launches = 30;

struct PublishedTime {
  const char* gpu;
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  double microseconds;
};

// ai-dynamo/aiconfigurator, systems/data/*/gemm/trtllm: BF16, from one token to many. README.md gives the errors
// over all shapes; these are not chosen by theirs.
TEST(Catalogue, ProductsTakeAsLongAsPublished) {
  for (const PublishedTime& row : {PublishedTime{"a100-sxm-80gb", 1, 4096, 4096, 26.21},
                                   PublishedTime{"a100-sxm-80gb", 8, 8192, 8192, 91.31},
                                   PublishedTime{"a100-sxm-80gb", 64, 7168, 2048, 24.68},
                                   PublishedTime{"a100-sxm-80gb", 256, 4096, 4096, 54.82},
                                   PublishedTime{"a100-sxm-80gb", 1024, 4096, 7168, 284.5},
                                   PublishedTime{"a100-sxm-80gb", 4096, 4096, 4096, 514.1},
                                   PublishedTime{"a100-sxm-80gb", 8192, 8192, 8192, 4188},
                                   PublishedTime{"h100-sxm-80gb", 1, 4096, 4096, 16.56},
                                   PublishedTime{"h100-sxm-80gb", 8, 8192, 8192, 49.47},
                                   PublishedTime{"h100-sxm-80gb", 64, 7168, 2048, 14.08},
                                   PublishedTime{"h100-sxm-80gb", 256, 4096, 4096, 18.71},
                                   PublishedTime{"h100-sxm-80gb", 1024, 4096, 7168, 77.71},
                                   PublishedTime{"h100-sxm-80gb", 4096, 4096, 4096, 174.3},
                                   PublishedTime{"h100-sxm-80gb", 8192, 8192, 8192, 1405},
                                   PublishedTime{"h200-sxm-141gb", 1, 4096, 4096, 13.27},
                                   PublishedTime{"h200-sxm-141gb", 8, 8192, 8192, 35.46},
                                   PublishedTime{"h200-sxm-141gb", 64, 7168, 2048, 11.03},
                                   PublishedTime{"h200-sxm-141gb", 256, 4096, 4096, 16.86},
                                   PublishedTime{"h200-sxm-141gb", 1024, 4096, 7168, 76.53},
                                   PublishedTime{"h200-sxm-141gb", 4096, 4096, 4096, 175.5},
                                   PublishedTime{"h200-sxm-141gb", 8192, 8192, 8192, 1364},
                                   PublishedTime{"b200-sxm-180gb", 1, 4096, 4096, 9.911},
                                   PublishedTime{"b200-sxm-180gb", 8, 8192, 8192, 25.23},
                                   PublishedTime{"b200-sxm-180gb", 64, 7168, 2048, 7.602},
                                   PublishedTime{"b200-sxm-180gb", 256, 4096, 4096, 10.52},
                                   PublishedTime{"b200-sxm-180gb", 1024, 4096, 7168, 41.57},
                                   PublishedTime{"b200-sxm-180gb", 4096, 4096, 4096, 112.3},
                                   PublishedTime{"b200-sxm-180gb", 8192, 8192, 8192, 737.2},
                                   PublishedTime{"gb200-186gb", 1, 4096, 4096, 9.527},
                                   PublishedTime{"gb200-186gb", 8, 8192, 8192, 22.83},
                                   PublishedTime{"gb200-186gb", 64, 7168, 2048, 7.236},
                                   PublishedTime{"gb200-186gb", 256, 4096, 4096, 10.03},
                                   PublishedTime{"gb200-186gb", 1024, 4096, 7168, 38.49},
                                   PublishedTime{"gb200-186gb", 4096, 4096, 4096, 91.34},
                                   PublishedTime{"gb200-186gb", 8192, 8192, 8192, 781.2}}) {
    const Gpu gpu = gpu_named(row.gpu);
    const double predicted = time_in_loop(gemm(Precision::Bf16, row.m, row.n, row.k), gpu, launches).value() * 1e6;
    EXPECT_NEAR(predicted / row.microseconds, 1, 0.25) << row.gpu << ' ' << row.m << ' ' << row.n << ' ' << row.k;
  }
}

// The same tables: a linear layer in FP8 casts its BF16 input, too: two reads, for the largest value and for the cast,
// and one write, in three kernels.
TEST(Catalogue, Fp8ProductsWithTheirCastTakeAsLongAsPublished) {
  for (const PublishedTime& row :
       {PublishedTime{"h100-sxm-80gb", 4096, 4096, 4096, 150.7},
        PublishedTime{"h100-sxm-80gb", 8192, 8192, 8192, 884.9},
        PublishedTime{"h200-sxm-141gb", 4096, 4096, 4096, 141.8},
        PublishedTime{"h200-sxm-141gb", 8192, 8192, 8192, 884.2},
        PublishedTime{"b200-sxm-180gb", 4096, 4096, 4096, 81.01},
        PublishedTime{"b200-sxm-180gb", 8192, 8192, 8192, 470.9}, PublishedTime{"gb200-186gb", 4096, 4096, 4096, 77.05},
        PublishedTime{"gb200-186gb", 8192, 8192, 8192, 487.3}}) {
    const Gpu gpu = gpu_named(row.gpu);
    Operator cast;
    cast.bytes = Bytes(5.0 * static_cast<double>(row.m * row.k));
    const Seconds predicted = time_in_loop(gemm(Precision::Fp8, row.m, row.n, row.k), gpu, launches) +
                              time_of(cast, gpu) + 2 * gpu.launch_overhead;
    EXPECT_NEAR(predicted.value() * 1e6 / row.microseconds, 1, 0.2) << row.gpu << ' ' << row.m << ' ' << row.n;
  }
}

// MooreThreads/SimuMax, configs/system/b200_bf16_ceperm.json: products in long loops, at the clock that the GPU
// sustains. That clock comes from other measurements, the tables above.
TEST(Catalogue, ABusyB200SlowsAsPublished) {
  const Gpu gpu = gpu_named("b200-sxm-180gb");
  for (const PublishedTime& row :
       {PublishedTime{"", 4096, 8192, 7168, 449.2}, PublishedTime{"", 8192, 8192, 14336, 1716.1},
        PublishedTime{"", 4096, 57344, 8192, 3514.3}, PublishedTime{"", 16384, 8192, 28672, 6722.9},
        PublishedTime{"", 4096, 128256, 16384, 15593}}) {
    const double predicted = time_of(gemm(Precision::Bf16, row.m, row.n, row.k), gpu).value() * 1e6;
    EXPECT_NEAR(predicted / row.microseconds, 1, 0.1) << row.m << ' ' << row.n << ' ' << row.k;
  }
}

struct PublishedAttention {
  const char* gpu;
  std::int64_t length;
  std::int64_t heads;
  std::int64_t head_size;
  double forward; // TFLOP/s
  double backward;
};

// Causal. MLA of DeepSeek-V3, whose mean head size is 160: Scalable Training of MoE Models, arXiv 2603.07685, Table 9
// (which names no more than "Hopper").
TEST(Catalogue, AttentionIsAsFastAsPublished) {
  for (const PublishedAttention& row : {PublishedAttention{"h100-sxm-80gb", 4096, 128, 160, 553, 422},
                                        PublishedAttention{"h100-sxm-80gb", 16384, 128, 160, 638, 523}}) {
    const Gpu gpu = gpu_named(row.gpu);
    Operator op;
    op.kind = OperatorKind::Attention;
    op.groups = row.heads;
    op.m = op.n = row.length;
    op.k = row.head_size;
    op.flops = Flops(2.0 * static_cast<double>(row.heads * row.length * row.length * row.head_size));
    EXPECT_NEAR((op.flops / time_of(op, gpu)).value() / 1e12 / row.forward, 1, 0.2) << row.length;
    const Flops five_products = 2.5 * op.flops;
    op.pass = Pass::Backward;
    op.flops = 2 * op.flops;
    EXPECT_NEAR((five_products / time_of(op, gpu)).value() / 1e12 / row.backward, 1, 0.2) << row.length;
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
