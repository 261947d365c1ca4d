#include "schedulers/overflow_rerouting.hpp"

#include <algorithm>

namespace moesim::schedulers {
namespace {

// The level up to which `tokens` fill the experts that are below `limit`, from the fewest copies up, without the rest.
std::int64_t fill_level(std::span<const std::int64_t> copies, std::int64_t limit, std::int64_t tokens) {
  const auto room_below = [&](std::int64_t level) {
    std::int64_t room = 0;
    for (const std::int64_t count : copies)
      room += std::max<std::int64_t>(0, level - count);
    return room;
  };
  std::int64_t low = 0; // has no more room than tokens
  std::int64_t high = limit;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (room_below(middle) <= tokens)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

} // namespace

std::vector<std::int64_t> reroute_overflow(std::span<const std::int64_t> copies, std::int64_t capacity,
                                           std::int64_t tokens) {
  const std::int64_t limit = std::min(capacity, tokens);
  std::int64_t overflow = 0;
  for (const std::int64_t count : copies)
    overflow += std::max<std::int64_t>(0, count - capacity);
  const std::int64_t level = fill_level(copies, limit, overflow);
  std::vector<std::int64_t> result(copies.begin(), copies.end());
  std::int64_t left = overflow;
  const auto give = [&](std::int64_t& count, std::int64_t extra) {
    count += extra;
    left -= extra;
  };
  for (std::int64_t& count : result)
    give(count, std::max<std::int64_t>(0, level - count));
  for (std::int64_t& count : result)
    if (left > 0 && count == level && level < limit)
      give(count, 1);
  std::int64_t moved = overflow - left;
  for (std::int64_t& count : result) {
    const std::int64_t taken = std::clamp<std::int64_t>(count - capacity, 0, moved);
    count -= taken;
    moved -= taken;
  }
  return result;
}

} // namespace moesim::schedulers
