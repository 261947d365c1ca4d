#include <algorithm>
#include <cmath>

#include "workloads/rank_shape.hpp"

namespace moesim::workloads {

double expected_active_experts(const MoeSpec& moe, std::int64_t experts, double tokens) {
  const double hit = static_cast<double>(moe.experts_per_token) / static_cast<double>(moe.num_experts);
  return static_cast<double>(experts) * (1 - std::pow(1 - hit, tokens));
}

std::int64_t RankShape::active_experts() const {
  if (load != nullptr)
    return static_cast<std::int64_t>(load->rows.size());
  if (!shape.cache)
    return experts();
  const std::int64_t ranks_with_tokens = replicates_tokens() ? 1 : shape.sizes.ep * shape.sizes.etp;
  const double tokens_of_group =
      static_cast<double>(tokens()) / static_cast<double>(sequence_ranks()) * static_cast<double>(ranks_with_tokens);
  const double expected = expected_active_experts(*model.moe, experts(), tokens_of_group);
  return std::max<std::int64_t>(1, std::llround(expected));
}

} // namespace moesim::workloads
