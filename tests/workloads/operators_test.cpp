#include "workloads/operators.hpp"

#include <gtest/gtest.h>

namespace moesim::workloads {
namespace {

// 12 rows of 8 times 8 x 6, spread over 2 experts; BF16.
const GemmShape shape{.rows = 12, .n = 6, .k = 8, .groups = 2};

TEST(Operators, AProductReadsAndWritesEachMatrixOnce) {
  const Operator op = gemm_forward(shape, Precision::Bf16);
  EXPECT_EQ(op.flops, Flops(2 * 12 * 6 * 8));
  EXPECT_EQ(op.bytes, Bytes(2 * (12 * 8 + 2 * 8 * 6 + 12 * 6)));
  EXPECT_EQ(op.m, 6); // rows of one expert
}

TEST(Operators, TheGradientOfTheWeightIsAddedInFp32) {
  const std::vector<Operator> gradients = gemm_backward(shape, Precision::Bf16);
  ASSERT_EQ(gradients.size(), 2u);
  EXPECT_EQ(gradients[0].bytes, Bytes(2 * (12 * 8 + 2 * 8 * 6 + 12 * 6)));
  EXPECT_EQ(gradients[1].bytes, Bytes(2 * (12 * 8 + 12 * 6) + (4 + 4) * 2 * 8 * 6));
  for (const Operator& op : gradients)
    EXPECT_EQ(op.flops, Flops(2 * 12 * 6 * 8));
}

TEST(Operators, OrInThePrecisionOfTheWeight) {
  EXPECT_EQ(gemm_backward(shape, Precision::Bf16, Precision::Bf16)[1].bytes,
            Bytes(2 * (12 * 8 + 12 * 6) + (2 + 2) * 2 * 8 * 6));
}

TEST(Operators, AttentionComputesThePairsThatAreSeen) {
  // Half of 10 x 10 pairs; queries and keys of 5 channels, values of 3.
  const AttentionShape attention{.sequences = 3,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .length = 10,
                                 .kv_length = 10,
                                 .keys = 10,
                                 .pairs = 50,
                                 .qk_head_dim = 5,
                                 .v_head_dim = 3};
  const Operator forward = causal_attention(attention, Pass::Forward, Precision::Bf16);
  EXPECT_EQ(forward.flops, Flops(3 * 4 * 2 * 50 * (5 + 3)));
  EXPECT_EQ(forward.bytes, Bytes(2 * 3 * 10 * (4 + 2) * (5 + 3)));
  EXPECT_EQ(causal_attention(attention, Pass::Backward, Precision::Bf16).flops, 2 * forward.flops);
}

// Factors in FP8, results in BF16, and the weight's gradient still in FP32.
TEST(Operators, AProductInFp8ReadsHalfTheBytes) {
  EXPECT_EQ(gemm_forward(shape, Precision::Fp8).bytes, Bytes(12 * 8 + 2 * 8 * 6 + 2 * 12 * 6));
  const std::vector<Operator> gradients = gemm_backward(shape, Precision::Fp8);
  EXPECT_EQ(gradients[0].bytes, Bytes(12 * 6 + 2 * 8 * 6 + 2 * 12 * 8));
  EXPECT_EQ(gradients[1].bytes, Bytes(12 * 8 + 12 * 6 + (4 + 4) * 2 * 8 * 6));
}

// One scale of 4 bytes for 128 elements, of 1 for 32, of 1 for 16 elements of half a byte.
TEST(Operators, BlocksHaveScales) {
  const GemmShape blocks{.rows = 128, .n = 1, .k = 128};
  const auto factors = [&](Precision precision) { return gemm_forward(blocks, precision).bytes - Bytes(2 * 128); };
  constexpr double elements = 128 * 129;
  EXPECT_EQ(factors(Precision::Fp8Block), Bytes(elements + 4 * elements / 128));
  EXPECT_EQ(factors(Precision::Mxfp8), Bytes(elements + elements / 32));
  EXPECT_EQ(factors(Precision::Nvfp4), Bytes(elements / 2 + elements / 16));
}

// Every query meets every key, and the scores travel: 3 x 4 matrices of 10 x 10, written by the first product, read and
// written by the softmax, read by the second, whose result is reordered. Dropout reads and writes them, and a mask.
TEST(Operators, UnfusedAttentionMovesTheScores) {
  AttentionShape attention{.sequences = 3,
                           .heads = 4,
                           .kv_heads = 4,
                           .length = 10,
                           .kv_length = 10,
                           .keys = 10,
                           .pairs = 50,
                           .qk_head_dim = 5,
                           .v_head_dim = 3};
  Flops flops;
  Bytes bytes;
  for (const Operator& op : unfused_attention(attention, Pass::Forward, Precision::Bf16)) {
    flops += op.flops;
    bytes += op.bytes;
  }
  EXPECT_EQ(flops, Flops(3 * 4 * 2 * 100 * (5 + 3)));
  EXPECT_EQ(bytes, Bytes(2 * 3 * 4 * (4 * 100 + 10 * (5 + 5 + 3 + 3) + 2 * 10 * 3)));
  Flops backward;
  for (const Operator& op : unfused_attention(attention, Pass::Backward, Precision::Bf16)) {
    EXPECT_EQ(op.pass, Pass::Backward);
    backward += op.flops;
  }
  EXPECT_EQ(backward, 2 * flops);
  attention.dropout = true;
  for (const Operator& op : unfused_attention(attention, Pass::Forward, Precision::Bf16))
    bytes -= op.bytes;
  EXPECT_EQ(bytes, Bytes(-3 * 4 * 100 * (2 * 2 + 1)));
}

// Two matrices less than four: casts (2 and 4 bytes a score), scale, mask and softmax (8 each) instead of one kernel
// (4); and backwards 6, 12, 8, 8 and 6 instead of 6.
TEST(Operators, TheSoftmaxOfFewHeadsRunsInSteps) {
  const auto of_heads = [](std::int64_t heads, Pass pass) {
    return unfused_attention({.sequences = 1,
                              .heads = heads,
                              .kv_heads = heads,
                              .length = 10,
                              .kv_length = 10,
                              .keys = 10,
                              .pairs = 50,
                              .qk_head_dim = 4,
                              .v_head_dim = 4},
                             pass, Precision::Fp16);
  };
  const auto bytes = [](const std::vector<Operator>& kernels) {
    Bytes sum;
    for (const Operator& op : kernels)
      sum += op.bytes;
    return sum;
  };
  for (const auto& [pass, more] : {std::pair(Pass::Forward, 6 + 8 + 8 + 8 + 6 - 4), {Pass::Backward, 40 - 6}}) {
    EXPECT_EQ(of_heads(2, pass).size(), of_heads(4, pass).size() + 4);
    EXPECT_EQ(bytes(of_heads(2, pass)) - bytes(of_heads(4, pass)) / 2, Bytes(more * 2 * 100));
  }
}

// The sum of gradients is read and written either way; apart, the gradient itself is written and read, too.
TEST(Operators, GradientsSummedApartTravelOnceMore) {
  const GemmShape product{.rows = 7, .n = 5, .k = 3};
  const auto bytes = [&](Accumulation accumulation) {
    Bytes sum;
    for (const Operator& op : gemm_backward(product, Precision::Bf16, Precision::Fp32, accumulation))
      sum += op.bytes;
    return sum;
  };
  EXPECT_EQ(bytes(Accumulation::Apart) - bytes(Accumulation::InPlace), Bytes(2 * 2 * 5 * 3));
}

TEST(Operators, EachExpertIsLaunched) {
  EXPECT_EQ(gemm_forward({.rows = 64, .n = 5, .k = 3, .groups = 8}, Precision::Bf16).launches, 8);
  EXPECT_EQ(gemm_forward({.rows = 64, .n = 5, .k = 3}, Precision::Bf16).launches, 1);
}

} // namespace
} // namespace moesim::workloads
