// What products of 8 and 4 bits read: activations and gradients cast from 16 bits, and their scales.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {

// Whether casts to FP8 have a scale for each row.
[[nodiscard]] bool scales_rows(const MicroBatchShape& shape);

// Casts the BF16 elements of [rows, width] to what a product reads, of each group by itself. A cast to NVFP4 reads them
// once more before, for the tensor's largest (its scale: NVIDIA, arXiv 2509.25149, appendix B), and so does one to FP8
// that takes no earlier scale; blocks and rows have none for the tensor.
void cast_for_product(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& of,
                      std::int64_t width, Pass pass);

// One before each group of each product, where scales are put into its order apart.
void swizzle_scales(SegmentList& list, const RankShape& at, std::string_view name,
                    const std::vector<Operator>& products);

// With a scale for each row the weight's gradient, which sums over tokens, wants both factors cast anew: one kernel
// finds the largest element of each column, another casts and writes transposed. What a compiler makes of the latter
// moves 0.65 TB/s on an H100, where others move 2.1 (pytorch/pytorch issue 149982).
void cast_columns(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t rows, std::int64_t width);

} // namespace moesim::workloads
