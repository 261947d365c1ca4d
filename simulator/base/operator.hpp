// One kernel as amounts: its shape, its FLOPs and the bytes it moves through device memory. Workloads make operators,
// platforms turn them into time; neither knows the other.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim {

enum class OperatorKind : std::uint8_t {
  Gemm,        // `groups` independent products of [m, k] by [k, n] (1 for a plain GEMM, experts for a grouped one)
  Attention,   // fused attention over `groups` = batch x heads: m queries, n keys, head size k
  MemoryBound, // norm, activation, rotary, permute, router softmax, cross-entropy, Adam: bytes only
};

// Generations of fused attention; Latest is the one that suits the GPU best.
enum class AttentionKernel : std::uint8_t { Latest, Flash2, Flash1 };

// Fp8 has one scale for a tensor, Fp8Block one of 32 bits for 128 elements (DeepSeek-V3, arXiv 2412.19437, section
// 3.3.2), Mxfp8 one of 8 bits for 32 elements (OCP Microscaling Formats 1.0), and Nvfp4 one of 8 bits for 16 elements
// of 4 bits, besides one for the tensor (NVIDIA, arXiv 2509.25149, section 2).
enum class Precision : std::uint8_t { Fp32, Bf16, Fp16, Fp8, Fp8Block, Mxfp8, Nvfp4 };
inline constexpr std::array all_precisions{Precision::Fp32,     Precision::Bf16,  Precision::Fp16, Precision::Fp8,
                                           Precision::Fp8Block, Precision::Mxfp8, Precision::Nvfp4};

enum class Pass : std::uint8_t { Forward, Backward };

// Rows of each group of a grouped product where they are not all equal. Operators with the same list may share it.
class GroupRows {
public:
  GroupRows() = default; // all equal
  // Any order; zeros are groups without work, and are left out.
  explicit GroupRows(std::vector<std::int64_t> rows);

  [[nodiscard]] bool are_equal() const { return rows_ == nullptr; }
  // The most first; empty where all are equal.
  [[nodiscard]] std::span<const std::int64_t> list() const {
    return rows_ == nullptr ? std::span<const std::int64_t>() : std::span(*rows_);
  }
  friend bool operator==(const GroupRows& a, const GroupRows& b) {
    return a.rows_ == b.rows_ || (a.rows_ != nullptr && b.rows_ != nullptr && *a.rows_ == *b.rows_);
  }

private:
  std::shared_ptr<const std::vector<std::int64_t>> rows_;
};

struct Operator {
  OperatorKind kind = OperatorKind::MemoryBound;
  Precision precision = Precision::Bf16;
  Pass pass = Pass::Forward;
  std::int64_t groups = 1;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  Flops flops; // matrix products only; elementwise arithmetic hides behind its bytes
  Bytes bytes; // read and written in device memory
  AttentionKernel attention = AttentionKernel::Latest; // of Attention
  bool has_sinks = false; // of Attention: each head has a learned logit that attends to nothing
  // A product that adds to the gradient of weights: nothing but the optimizer waits for it.
  bool gives_weight_gradient = false;
  GroupRows rows{}; // of m, or of k in a product that gives a weight's gradient; m and k are then the mean, rounded up
  bool groups_share_kernel = false; // one kernel runs all groups of a product
  std::int64_t idle_groups = 0;     // that this kernel has besides, and that have no rows
  double weight_bytes = 0;          // of an element of the second factor, where kernels turn it into `precision`
  // Kernels that the host launches for it: experts have one each. 0: it is part of a CUDA graph.
  std::int64_t launches = 1;

  bool operator==(const Operator&) const = default;
};

// "fp32", "bf16", "fp16", "fp8", "fp8-block", "mxfp8", "nvfp4": how YAML spells it.
[[nodiscard]] std::string_view name_of(Precision precision);
// Bytes of one element, with its part of the scales that it shares.
[[nodiscard]] double bytes_per_element(Precision precision);
// Whether only matrix products read this precision, and what they read is cast for them: 8 bits and fewer.
[[nodiscard]] constexpr bool is_cast_for_products(Precision precision) {
  return precision == Precision::Fp8 || precision == Precision::Fp8Block || precision == Precision::Mxfp8 ||
         precision == Precision::Nvfp4;
}
// Weights, activations and what is sent then stay BF16 (Transformer Engine; Micikevicius et al., arXiv 2209.05433).
// Every other precision keeps everything as it is.
[[nodiscard]] constexpr Precision precision_outside_products(Precision precision) {
  return is_cast_for_products(precision) ? Precision::Bf16 : precision;
}

} // namespace moesim
