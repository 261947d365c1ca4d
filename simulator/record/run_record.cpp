#include "simulator/record/run_record.hpp"

#include "simulator/base/check.hpp"

#include <algorithm>

namespace moesim::record {

RowRange rows_of(const RunRecord& run, std::uint32_t rank) {
  MOESIM_CHECK(rank < run.ranks.size(), "rows are asked for a rank of the job");
  const std::vector<std::uint32_t>& ranks = run.tasks.rank;
  const auto [first, last] = std::equal_range(ranks.begin(), ranks.end(), run.ranks.representative[rank]);
  return {static_cast<std::size_t>(first - ranks.begin()), static_cast<std::size_t>(last - ranks.begin())};
}

} // namespace moesim::record
