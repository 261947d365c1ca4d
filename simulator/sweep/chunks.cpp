#include "simulator/sweep/chunks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>
#include <utility>

namespace moesim::sweep {

std::vector<std::vector<std::size_t>> chunks_of(std::span<const std::size_t> points, std::span<const Seconds> costs,
                                                std::size_t count) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t at) { return costs[at]; });
  // Of chunks that have the same cost the one with fewer points, then the first.
  using Load = std::tuple<double, std::size_t, std::size_t>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  std::vector<std::vector<std::size_t>> chunks(std::min(count, points.size()));
  for (std::size_t chunk = 0; chunk < chunks.size(); ++chunk)
    loads.emplace(0, 0, chunk);
  for (const std::size_t at : order) {
    const auto [load, size, chunk] = loads.top();
    loads.pop();
    chunks[chunk].push_back(points[at]);
    loads.emplace(load + costs[at].value(), size + 1, chunk);
  }
  for (std::vector<std::size_t>& chunk : chunks)
    std::ranges::sort(chunk);
  return chunks;
}

std::size_t task_count(Seconds total_cost, std::size_t cpus, std::size_t points, std::size_t most) {
  constexpr Seconds worth_starting{60};
  const double wanted = std::ceil(total_cost / worth_starting / static_cast<double>(cpus));
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::min(wanted, 1e6)), 1, std::min(points, most));
}

} // namespace moesim::sweep
