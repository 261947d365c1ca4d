// Kernels that were measured alone, against the roofline of platforms/gpu.hpp.
#include <gtest/gtest.h>

#include "platforms/gpu.hpp"
#include "simulator/validation/kernel.hpp"
#include "simulator/validation/kernel_entry.hpp"
#include "simulator/validation/system.hpp"
#include "tests/validation/entry_text.hpp"
#include "workloads/operators.hpp"

namespace moesim::validation {
namespace {

const Vocabulary vocabulary = read_vocabulary();

platforms::Gpu gpu() {
  return cluster_of(system_of(entry_of("H100", "  config: {}\n  measured: {}\n"), 1, vocabulary)).gpu;
}

Answer answer(const std::string& rest) {
  return kernel_question(entry_of("H100 80GB", rest), vocabulary).answer();
}

TEST(KernelEntry, ProductsInTheUnitOfTheirColumn) {
  const Operator op = workloads::gemm_forward({.rows = 512, .n = 4096, .k = 1024}, Precision::Bf16);
  const Seconds time = platforms::time_of(op, gpu());
  const std::string config = "  config: {kernel: gemm, precision: BF16 -> fp32, library: cuBLAS}\n";
  EXPECT_NEAR(answer(config + "  measured: {columns: [m, n, k, time_us], points: [[512, 4096, 1024, 9]]}\n")
                  .predictions[0]
                  .value,
              time.value() * 1e6, 1e-9);
  EXPECT_NEAR(answer(config + "  measured: {columns: [m, n, k, tflops], points: [[512, 4096, 1024, 9]]}\n")
                  .predictions[0]
                  .value,
              2.0 * 512 * 4096 * 1024 / time.value() / 1e12, 1e-9);
}

// 2 tokens of 4 experts, one each: two experts have a row, and their weights alone are read.
TEST(KernelEntry, OnlyExpertsWithTokensAreComputed) {
  const Answer few = answer(
      "  config: {kernel: fused MoE FFN, precision: bfloat16, extra: {hidden_size: 4096, inter_size: 8192, topk: 1, "
      "num_experts: 4}}\n"
      "  measured: {columns: [moe_tp_size, moe_ep_size, num_tokens, time_us], points: [[1, 1, 2, 5], [1, 1, 4, 5]]}\n");
  const double weights = 2.0 * 3 * 4096 * 8192 * 2; // bytes, of two experts
  const platforms::Gpu of = gpu();
  const double efficiency = platforms::gemm_curve_of(of, Precision::Bf16, true).memory_efficiency;
  const double traffic = weights / (of.memory_bandwidth.value() * efficiency);
  EXPECT_NEAR((few.predictions[1].value - few.predictions[0].value) / 1e6, traffic, 0.01 * traffic);
}

// Experts without a gate have two matrices of three.
TEST(KernelEntry, ExpertsWithoutAGateReadTwoMatrices) {
  const auto more_of_two_experts = [](const std::string& library) {
    const Answer few = answer("  config: {kernel: fused MoE FFN, library: " + library +
                              ", precision: bfloat16, extra: {hidden_size: 4096, inter_size: 8192, topk: 1, "
                              "num_experts: 4}}\n"
                              "  measured: {columns: [moe_tp_size, moe_ep_size, num_tokens, time_us], points: "
                              "[[1, 1, 2, 5], [1, 1, 4, 5]]}\n");
    return few.predictions[1].value - few.predictions[0].value;
  };
  const double gated = more_of_two_experts("moe_torch_flow_cutlass");
  EXPECT_NEAR(more_of_two_experts("moe_torch_flow_nongated"), gated * 2 / 3, 0.01 * gated);
}

// 4 heads of 64 and 16 Ki tokens of 2048 channels are FlashAttention-2's benchmark: 32 heads, 8 sequences of 2 Ki.
TEST(KernelEntry, TablesThatGiveNoBatchHaveThatOfTheirLibrary) {
  workloads::AttentionShape shape{
      .sequences = 8, .heads = 32, .kv_heads = 32, .length = 2048, .kv_length = 2048, .keys = 2048};
  shape.qk_head_dim = 64;
  shape.v_head_dim = 64;
  shape.pairs = 2048.0 * 2048;
  const Operator forward = workloads::causal_attention(shape, Pass::Forward, Precision::Bf16);
  const Operator backward = workloads::causal_attention(shape, Pass::Backward, Precision::Bf16);
  const Seconds time = platforms::time_of(forward, gpu()) + platforms::time_of(backward, gpu());
  EXPECT_NEAR(answer("  config: {kernel: attention, library: FlashAttention-2, precision: BF16, head_dim: 64, causal: "
                     "false, direction: forward+backward}\n"
                     "  measured: {columns: [seq_length, fa2_tflops], points: [[2048, 300]]}\n")
                  .predictions[0]
                  .value,
              (forward.flops + backward.flops).value() / time.value() / 1e12, 1e-6);
}

// aiconfigurator's linear layer in FP8: a loop of 30 from a cool start, and the cast of the input, which moves three
// bytes an element or more.
TEST(KernelEntry, WhatABenchmarkRunsBesidesIsCounted) {
  const Operator op = workloads::gemm_forward({.rows = 4096, .n = 512, .k = 8192}, Precision::Fp8);
  const double product = platforms::time_in_loop(op, gpu(), 30).value();
  const auto predicted = [](const std::string& library) {
    return answer("  config: {kernel: gemm, precision: fp8, library: " + library +
                  "}\n  measured: {columns: [m, n, k, time_us], points: [[4096, 512, 8192, 9]]}\n")
               .predictions[0]
               .value /
           1e6;
  };
  const double cast = 4096.0 * 8192 * 3 / gpu().memory_bandwidth.value();
  EXPECT_GT(predicted("TensorRT-LLM 1.3.0rc20 torch_flow"), product + cast);
  EXPECT_LT(predicted("TensorRT-LLM 1.3.0rc20 torch_flow"), product + 3 * cast + 15e-6);
  EXPECT_DOUBLE_EQ(predicted("cuBLAS"), platforms::time_of(op, gpu()).value());
}

// ai-dynamo/aiconfigurator, systems/data/{h100,b200}_sxm/moe/trtllm/1.3.0rc20: Mixtral 8x7B on one H100 and on eight,
// DeepSeek-V3 on a B200 with its own gate, where 16 tokens meet 68 experts and 64 tokens all 132 of the groups that it
// takes.
TEST(KernelEntry, LayersOfExpertsTakeAsLongAsPublished) {
  const auto expect_close = [](const std::string& system, const std::string& config, const std::string& points) {
    const Entry entry =
        entry_of(system, "  config: {kernel: fused MoE FFN, " + config +
                             "}\n  measured: {columns: [moe_tp_size, moe_ep_size, num_tokens, time_us], points: [" +
                             points + "]}\n");
    const Question question = kernel_question(entry, vocabulary);
    const Answer predicted = question.answer();
    for (std::size_t at = 0; at < question.measurements.size(); ++at)
      EXPECT_NEAR(predicted.predictions[at].value / question.measurements[at].value, 1, 0.25)
          << question.measurements[at].id;
  };
  expect_close(
      "H100 80GB",
      "library: TensorRT-LLM 1.3.0rc20 moe_torch_flow_cutlass, precision: bfloat16, extra: {hidden_size: 4096, "
      "inter_size: 14336, topk: 2, num_experts: 8}",
      "[1, 1, 1, 261.541], [1, 1, 16, 962.02], [1, 1, 1024, 1301.68], [1, 1, 16384, 14328.6], "
      "[1, 8, 16, 144.59], [8, 1, 16, 138.89]");
  expect_close(
      "B200",
      "library: TensorRT-LLM 1.3.0rc20 moe_torch_flow_min_latency, precision: nvfp4, extra: {hidden_size: 7168, "
      "inter_size: 2048, topk: 8, num_experts: 256}",
      "[1, 1, 16, 248.373], [1, 1, 64, 488.384]");
  // Of 256 experts 248 and 192 are idle, which takes most of the time.
  expect_close("H200",
               "library: TensorRT-LLM 1.3.0rc20 moe_torch_flow_cutlass, precision: fp8_block, extra: {hidden_size: "
               "7168, inter_size: 2048, topk: 8, num_experts: 256}",
               "[8, 1, 1, 115.0], [8, 1, 8, 191.0]");
  // Short copies, 131,072 of them.
  expect_close("B200",
               "library: TensorRT-LLM 1.3.0rc20 moe_torch_flow_cutlass, precision: fp8, extra: {hidden_size: 2048, "
               "inter_size: 768, topk: 8, num_experts: 128}",
               "[8, 1, 16384, 1135.0]");
}

// What is printed after an arrow is the result's; DeepGEMM's FP8 has scales by block.
TEST(KernelEntry, ThePrecisionIsThatOfTheFactors) {
  const auto precision = [](const std::string& printed, const std::string& library) {
    const Entry row = entry_of("H800", "  config: {kernel: gemm, precision: '" + printed + "', library: " + library +
                                           ", m: 1, n: 1, k: 1}\n  measured: {time_us: 1}\n");
    return kernel_of(row, vocabulary.kernels.find("columns")->items[0], vocabulary).precision;
  };
  EXPECT_EQ(precision("FP8 (1x128 / 128x128 block scales) -> BF16", "DeepGEMM"), Precision::Fp8Block);
  EXPECT_EQ(precision("FP8", "DeepGEMM"), Precision::Fp8Block);
  EXPECT_EQ(precision("FP8", "PyTorch"), Precision::Fp8);
  EXPECT_EQ(precision("BF16 -> fp32", "cuBLAS"), Precision::Bf16);
}

// DeepSeek's gate takes the best two experts of each group, of which a model with eight experts has one.
TEST(KernelEntry, AGateThatDoesNotFitIsSkipped) {
  EXPECT_THROW(
      static_cast<void>(answer("  config: {kernel: fused MoE, library: TensorRT-LLM moe_torch_flow_min_latency, "
                               "precision: nvfp4, extra: {hidden_size: 4096, inter_size: 8192, topk: 2, "
                               "num_experts: 8}}\n  measured: {columns: [moe_tp_size, moe_ep_size, num_tokens, "
                               "time_us], points: [[1, 1, 2, 5]]}\n")),
      Unpredictable);
}

TEST(KernelEntry, PrecisionsWithoutRatesAreSkipped) {
  EXPECT_THROW(static_cast<void>(answer("  config: {kernel: gemm, precision: mxfp4}\n  measured: {columns: [m, n, k, "
                                        "time_us], points: [[1, 1, 1, 9]]}\n")),
               Unpredictable);
}

} // namespace
} // namespace moesim::validation
