#include "simulator/base/divisors.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace moesim {

std::string nearest_divisors(std::int64_t whole, std::int64_t wanted) {
  std::int64_t below = 1;
  std::int64_t above = whole;
  // Divisors come in pairs around the square root: sizes of 1e12 take a million steps, not 1e12.
  for (std::int64_t divisor = 1; divisor <= whole / divisor; ++divisor) {
    if (whole % divisor != 0)
      continue;
    for (const std::int64_t candidate : std::array{divisor, whole / divisor}) {
      if (candidate <= wanted)
        below = std::max(below, candidate);
      else
        above = std::min(above, candidate);
    }
  }
  if (wanted >= whole)
    return fmt::format("{}", whole);
  return below == above ? fmt::format("{}", below) : fmt::format("{} or {}", below, above);
}

} // namespace moesim
