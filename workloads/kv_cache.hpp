// Keys and values of the tokens so far, which inference keeps instead of computing them again: in blocks of some
// tokens, taken one by one as a sequence grows (PagedAttention, Kwon et al., arXiv 2309.06180, section 4).
#pragma once

#include <cstdint>

#include "simulator/base/operator.hpp"
#include "workloads/model.hpp"

namespace moesim::workloads {

// The cache as a forward pass finds it.
struct KvCache {
  std::int64_t held = 0;        // tokens of each sequence that are in it already
  std::int64_t block_size = 16; // tokens
  Precision precision = Precision::Bf16;

  bool operator==(const KvCache&) const = default;
};

// Elements that one layer keeps of a token on each of `tp` ranks. Keys and values of the rank's heads; with fewer
// key-value heads than ranks each has a copy of one. Of latent attention the latent and the key that all heads share,
// whole on every rank (DeepSeek-V2, arXiv 2405.04434, section 2.1.2).
[[nodiscard]] std::int64_t kv_elements(const ModelSpec& model, std::int64_t tp);

// Tokens, in whole blocks, that a layer keeps of a sequence of `length`, and that its next query reads: all, or as many
// as it reaches. (A chunked layer counts as one with a window: it could forget more at the start of a chunk.)
[[nodiscard]] std::int64_t kept_tokens(const ModelSpec& model, LayerKind kind, std::int64_t block_size,
                                       std::int64_t length);

} // namespace moesim::workloads
