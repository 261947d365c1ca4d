#include "workloads/operators.hpp"

#include <gtest/gtest.h>

namespace moesim::workloads {
namespace {

// 12 rows of 8 times 8 x 6, spread over 2 experts; BF16.
constexpr GemmShape shape{.rows = 12, .n = 6, .k = 8, .groups = 2};

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

TEST(Operators, AttentionComputesThePairsThatAreSeen) {
  // Half of 10 x 10 pairs; queries and keys of 5 channels, values of 3.
  const AttentionShape attention{.sequences = 3,
                                 .heads = 4,
                                 .kv_heads = 2,
                                 .length = 10,
                                 .keys = 10,
                                 .pairs = 50,
                                 .qk_head_dim = 5,
                                 .v_head_dim = 3};
  const Operator forward = causal_attention(attention, Pass::Forward, Precision::Bf16);
  EXPECT_EQ(forward.flops, Flops(3 * 4 * 2 * 50 * (5 + 3)));
  EXPECT_EQ(forward.bytes, Bytes(2 * 3 * 10 * (4 + 2) * (5 + 3)));
  EXPECT_EQ(causal_attention(attention, Pass::Backward, Precision::Bf16).flops, 2 * forward.flops);
}

} // namespace
} // namespace moesim::workloads
