#include "workloads/expert_capacity.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/base/check.hpp"

namespace moesim::workloads {

std::int64_t expert_capacity(const CapacityOptions& options, const MoeSpec& moe, std::int64_t tokens) {
  MOESIM_CHECK(options.factor.has_value(), "a capacity needs a factor");
  const double balanced = static_cast<double>(tokens * moe.experts_per_token) / static_cast<double>(moe.num_experts);
  return static_cast<std::int64_t>(std::ceil(balanced * *options.factor * (1 + options.overflow_buffer)));
}

ExpertInput expert_input(const std::vector<std::int64_t>& copies, const CapacityOptions& options, const MoeSpec& moe,
                         std::int64_t tokens, std::int64_t parts) {
  ExpertInput input{copies, std::vector<std::int64_t>(copies.size()), {}};
  if (options.factor) {
    const std::int64_t capacity = expert_capacity(options, moe, tokens) * parts;
    for (std::size_t expert = 0; expert < copies.size(); ++expert) {
      input.computed[expert] = std::min(copies[expert], capacity);
      input.dropped[expert] = copies[expert] - input.computed[expert];
    }
    if (options.pad_to_capacity) {
      input.rows.assign(copies.size(), std::min(capacity, tokens * parts));
      return input;
    }
  }
  const std::int64_t multiple = options.tokens_multiple == 1 ? 1 : options.tokens_multiple * parts;
  for (const std::int64_t computed : input.computed)
    input.rows.push_back(std::min(padded_rows(computed, multiple), tokens * parts));
  return input;
}

std::int64_t padded_rows(std::int64_t rows, std::int64_t multiple) {
  return (rows + multiple - 1) / multiple * multiple;
}

} // namespace moesim::workloads
