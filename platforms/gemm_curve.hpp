// How long a matrix product keeps the tensor cores: its tiles, and the waves in which the multiprocessors work them off
// (NVIDIA, "Matrix Multiplication Background User's Guide": tile and wave quantisation).
//
// A product of m x n x k is cut into tiles of results. A tile goes through k, for each step at the pace of what is
// slower: the multiplications, or reading the operands of the tile from the L2 cache; then it writes its results. When
// there are fewer tiles than multiprocessors, k is split over several tiles, whose sums a second kernel adds up
// (split-K). The library is taken to choose the fastest tile. Each group of a grouped product has tiles of its own, and
// as many as its rows take.
#pragma once

#include <cstdint>

#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::platforms {

// Of one precision. What is left out costs nothing: by default the product reaches its peak, whatever its shape.
struct GemmCurve {
  double max_efficiency = 1;          // share of peak FLOP/s of a large tile with a long k
  double backward = 1;                // of these, what products of a backward pass reach: their sums are more exact
  BytesPerSecond operand_bandwidth{}; // of reading operands, of all multiprocessors together; 0: nobody waits for it
  BytesPerSecond result_bandwidth{};  // of writing results, likewise
  Seconds split_overhead{};           // of the kernel that adds up the sums of a split k
  std::int64_t largest_tile = 0;      // results in a tile; 0: the product is not cut into tiles
  Seconds idle_group{};               // of each group of a grouped product that has no rows: its kernel walks past it
  std::int64_t padded_rows = 1;       // a multiple of which each group's rows are read and written as
  double memory_efficiency = 0;       // share of the memory's bandwidth that its traffic gets; 0: the GPU's
  // Whether the last wave takes as long as a full one: it does unless kernels spread what is left over all
  // multiprocessors (persistent kernels that split k for the rest).
  bool whole_waves = false;

  bool operator==(const GemmCurve&) const = default;
};

// Time of a product's arithmetic at `peak`, on a GPU with that many multiprocessors, without launch and without what
// travels through device memory. `multiprocessors` may be 0 for a curve without tiles.
[[nodiscard]] Seconds gemm_time(const Operator& op, const GemmCurve& curve, FlopsPerSecond peak,
                                std::int64_t multiprocessors);

} // namespace moesim::platforms
