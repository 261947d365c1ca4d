// Where the tokens of a benchmark of experts go. NVIDIA's aiconfigurator (collector/helper.py, balanced_logits()) has
// token t choose the experts t, t + s, t + 2s, ... of all of them, s being their number over the experts of a token; of
// fewer tokens than s, it spreads the first choices over s.
#pragma once

#include <cstdint>
#include <optional>

namespace moesim::validation {

// DeepSeek-V3's gate (arXiv 2412.19437, section 2.1.2): a token goes to the best experts of the `chosen` best of
// `groups` groups, as their best two experts add up. Of equals, the first are taken.
struct GroupLimit {
  std::int64_t groups = 1;
  std::int64_t chosen = 1;
};

struct ExpertBatch {
  std::int64_t tokens = 1;
  std::int64_t experts = 1;
  std::int64_t per_token = 1;        // at most `experts`
  std::int64_t ranks = 1;            // that share the experts evenly
  std::optional<GroupLimit> limit{}; // none: every expert is open to a token
};

// What the first rank gets: the experts that have a token, and the tokens' copies for them, at least one each; and the
// experts that have none.
struct ExpertRows {
  std::int64_t active = 1;
  std::int64_t rows = 1;
  std::int64_t idle = 0;

  bool operator==(const ExpertRows&) const = default;
};

// With a limit, groups divide the experts, have at least two each, and the chosen ones hold all experts of a token.
[[nodiscard]] ExpertRows rows_of_first_rank(const ExpertBatch& batch);

} // namespace moesim::validation
