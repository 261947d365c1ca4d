#include "simulator/validation/expert_rows.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace moesim::validation {
namespace {

using Experts = std::vector<std::int64_t>;

Experts choices(const ExpertBatch& batch, std::int64_t token) {
  const std::int64_t step = (batch.experts + batch.per_token - 1) / batch.per_token;
  const std::int64_t first = batch.tokens >= step ? token : token * step / batch.tokens;
  Experts chosen;
  for (std::int64_t at = 0; at < batch.per_token; ++at)
    chosen.push_back((first + at * step) % batch.experts);
  return chosen;
}

// Those of `wanted` that lie in the best groups, then others of these, in order.
Experts within_limit(const ExpertBatch& batch, const Experts& wanted) {
  const std::int64_t size = batch.experts / batch.limit->groups;
  std::vector<std::int64_t> best(static_cast<std::size_t>(batch.limit->groups)); // of a group's best two, the wanted
  for (const std::int64_t expert : wanted) {
    std::int64_t& in_group = best[static_cast<std::size_t>(expert / size)];
    in_group = std::min<std::int64_t>(2, in_group + 1);
  }
  Experts groups(best.size());
  std::iota(groups.begin(), groups.end(), 0);
  std::ranges::stable_sort(groups, std::ranges::greater(),
                           [&](std::int64_t group) { return best[static_cast<std::size_t>(group)]; });
  groups.resize(static_cast<std::size_t>(batch.limit->chosen));
  std::ranges::sort(groups);
  Experts open;
  for (const std::int64_t group : groups)
    for (std::int64_t expert = group * size; expert < (group + 1) * size; ++expert)
      open.push_back(expert);
  std::ranges::stable_partition(open, [&](std::int64_t expert) { return std::ranges::count(wanted, expert) > 0; });
  open.resize(static_cast<std::size_t>(batch.per_token));
  return open;
}

} // namespace

ExpertRows rows_of_first_rank(const ExpertBatch& batch) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(std::max<std::int64_t>(1, batch.experts / batch.ranks)));
  for (std::int64_t token = 0; token < batch.tokens; ++token) {
    const Experts wanted = choices(batch, token);
    for (const std::int64_t expert : batch.limit ? within_limit(batch, wanted) : wanted)
      if (expert < static_cast<std::int64_t>(rows.size()))
        ++rows[static_cast<std::size_t>(expert)];
  }
  const auto experts = static_cast<std::int64_t>(rows.size());
  const auto active = std::max<std::int64_t>(1, experts - std::ranges::count(rows, 0));
  return {.active = active,
          .rows = std::max<std::int64_t>(1, std::accumulate(rows.begin(), rows.end(), std::int64_t{0})),
          .idle = experts - active};
}

} // namespace moesim::validation
