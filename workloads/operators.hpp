// The kernels of a transformer as amounts. Shapes are those of one rank.
#pragma once

#include <cstdint>
#include <vector>

#include "simulator/base/operator.hpp"

namespace moesim::workloads {

// A product of [rows, k] by [k, n]; with several groups (experts), the rows are spread over as many weights: evenly, or
// as `of_groups` says, whose sum they then are. Nothing is read or written of a weight without rows: these are the
// `idle_groups`. The host launches each group (Transformer Engine, GroupedLinear), or one kernel for all (vLLM, SGLang
// and TensorRT-LLM, "fused MoE").
// Forward: one product. Backward: two, for the gradients of input and weight, each with as many FLOPs as the forward.
struct GemmShape {
  std::int64_t rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t groups = 1;
  GroupRows of_groups{};
  bool groups_share_kernel = false;
  std::int64_t idle_groups = 0;
};
// In FP8 both factors are FP8 and the result BF16.
[[nodiscard]] Operator gemm_forward(const GemmShape& shape, Precision precision);
// `accumulated` is the precision of the sum that the weight's gradient is added to: in place, or, `apart`, by a kernel
// of its own that reads the gradient.
enum class Accumulation : std::uint8_t { InPlace, Apart };
[[nodiscard]] std::vector<Operator> gemm_backward(const GemmShape& shape, Precision precision,
                                                  Precision accumulated = Precision::Fp32,
                                                  Accumulation accumulation = Accumulation::InPlace);

struct AttentionShape {
  std::int64_t sequences = 1;
  std::int64_t heads = 1;     // query heads of this rank
  std::int64_t kv_heads = 1;  // key-value heads of this rank
  std::int64_t length = 1;    // queries of a sequence
  std::int64_t kv_length = 1; // keys and values that are read
  std::int64_t keys = 1;      // of the query that sees most of them
  double pairs = 0.5;         // of a query and a key that it sees: length^2 / 2 when it sees all before it
  std::int64_t qk_head_dim = 1;
  std::int64_t v_head_dim = 1;
  bool dropout = false; // of the scores
};

// Fused causal attention (FlashAttention, arXiv 2307.08691): forward takes 2 FLOPs a pair, head and channel for the
// scores and as many for their sum, and the gradient twice that (the recomputed scores are part of the kernel's
// efficiency, not of its FLOPs); the score matrix never travels through memory.
[[nodiscard]] Operator causal_attention(const AttentionShape& shape, Pass pass, Precision precision,
                                        AttentionKernel kernel = AttentionKernel::Latest);

// The same without fusion: products and softmax are kernels of their own, the whole score matrix is computed, and it
// travels through memory in between (Megatron-LM before FlashAttention; Korthikanti et al., arXiv 2205.05198, figure
// 3), with a byte for each score when some are dropped. The output is brought from the order of heads into that of
// tokens, and in the backward its gradient the other way and those of queries, keys and values into one matrix.
// The softmax is one kernel with its scale and mask where 4 divides the matrices of a rank, else steps in FP32.
[[nodiscard]] std::vector<Operator> unfused_attention(const AttentionShape& shape, Pass pass, Precision precision);

// Fused attention of queries whose keys and values lie in a cache, of which `cache` bytes are read.
[[nodiscard]] Operator cached_attention(const AttentionShape& shape, Bytes cache, Precision precision);

// A kernel that only moves bytes.
[[nodiscard]] Operator memory_bound(Bytes bytes, Pass pass);

} // namespace moesim::workloads
