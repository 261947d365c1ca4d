// What an expert takes of the tokens that are routed to it, as Megatron Core counts it: for each source rank by itself,
// at its router (moe_utils.py, get_capacity and apply_router_token_dropping).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/model.hpp"

namespace moesim::workloads {

struct CapacityOptions {
  std::optional<double> factor = {}; // moe_expert_capacity_factor; none: dropless
  double overflow_buffer = 0;        // room for overflow on top, as a share of the capacity
  bool pad_to_capacity = false;      // moe_pad_expert_input_to_capacity; needs a factor
  std::int64_t tokens_multiple = 1; // of what a source sends to an expert (moe_router_padding_for_quantization: 16, 32)

  bool operator==(const CapacityOptions&) const = default;
};

// Token copies of one source that an expert takes: ceil(factor (1 + overflow_buffer) tokens k / experts). Not limited
// by `tokens`, as Megatron's is not; a factor is required.
[[nodiscard]] std::int64_t expert_capacity(const CapacityOptions& options, const MoeSpec& moe, std::int64_t tokens);

// Per expert, of one source.
struct ExpertInput {
  std::vector<std::int64_t> computed; // copies that are routed and not dropped
  std::vector<std::int64_t> dropped;  // those beyond the capacity; which tokens they are of is up to
                                      // moe_token_drop_policy, and makes no difference to amounts
  std::vector<std::int64_t> rows;     // what is sent and computed: `computed` and padding
};

// Applies capacity, then padding. The router pads with tokens that it did not route there, so that rows end at
// `tokens`: min(capacity, tokens) where padded to capacity, else at most the next multiple. Copies, and what is
// returned, are counted in parts, `parts` of which are one.
[[nodiscard]] ExpertInput expert_input(const std::vector<std::int64_t>& copies, const CapacityOptions& options,
                                       const MoeSpec& moe, std::int64_t tokens, std::int64_t parts = 1);

// Rows of a grouped product whose groups are padded to a tile where they are computed, not where they are sent.
[[nodiscard]] std::int64_t padded_rows(std::int64_t rows, std::int64_t multiple);

} // namespace moesim::workloads
