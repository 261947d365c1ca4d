// How long fused attention keeps the tensor cores (FlashAttention-2, Dao, arXiv 2307.08691; FlashAttention-3, Shah et
// al., arXiv 2407.08608). Each head of each sequence is cut into tiles of 128 queries, which go through all keys that
// they see; a tile on the diagonal of a causal mask is worked off whole. The exponentials of the softmax take as long
// as `half_head_size` more channels would: the share of peak is max_efficiency x d / (d + half_head_size).
//
// Decoding has a tile or less of queries, and many keys in a cache: these are split over multiprocessors that would
// have nothing to do (flash-decoding; Dao, Haziza, Massa, Sizov, 2023).
#pragma once

#include <cstdint>

#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::platforms {

// What is left out costs nothing.
struct AttentionCurve {
  double max_efficiency = 1; // share of peak FLOP/s for a wide head
  double half_head_size = 0; // channels
  Seconds tile_time{};       // of a tile besides its products: loading the queries, the first keys, writing the result
  double backward = 1;       // FLOP/s of the backward, over those of the forward
  double decode = 1;         // likewise, of decoding
  double sinks = 1;          // FLOP/s with a learned logit for each head, over those without

  bool operator==(const AttentionCurve&) const = default;
};

// Time of fused attention's arithmetic at `peak`, on a GPU with that many multiprocessors, without launch and without
// what travels through device memory. With `multiprocessors` 0 they count as always full, and tiles take no time.
[[nodiscard]] Seconds attention_time(const Operator& op, const AttentionCurve& curve, FlopsPerSecond peak,
                                     std::int64_t multiprocessors);

} // namespace moesim::platforms
