#include "simulator/base/divisors.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace moesim {

// They come in pairs around the square root: those of 1e12 take a million steps, not 1e12.
std::vector<std::int64_t> divisors(std::int64_t whole) {
  std::vector<std::int64_t> all;
  for (std::int64_t divisor = 1; divisor <= whole / divisor; ++divisor) {
    if (whole % divisor != 0)
      continue;
    all.push_back(divisor);
    if (divisor != whole / divisor)
      all.push_back(whole / divisor);
  }
  std::ranges::sort(all);
  return all;
}

std::string nearest_divisors(std::int64_t whole, std::int64_t wanted) {
  if (wanted >= whole)
    return fmt::format("{}", whole);
  const std::vector<std::int64_t> all = divisors(whole);
  const auto above = std::ranges::upper_bound(all, wanted);
  return fmt::format("{} or {}", *std::prev(above), *above);
}

} // namespace moesim
