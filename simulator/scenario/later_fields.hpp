// Reads fields some of whose values, or all but one, are known by name but not available yet.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "simulator/config/map_reader.hpp"

namespace moesim::scenario {

inline constexpr config::IntegerRange degree{.min = 1, .max = 1'000'000};

// One of `names`, or `fallback` when absent. `later` are values that the field will take one day: known by name, so
// that the message says more than "unknown".
std::string choice(config::MapReader& map, std::string_view key, std::string_view fallback,
                   std::span<const std::string_view> names, std::initializer_list<std::string_view> later);

// The same for an enum whose values have names: one of `values`, or the first of them when absent.
template <class Enum, std::size_t count>
Enum enum_choice(config::MapReader& map, std::string_view key, const std::array<Enum, count>& values,
                 std::initializer_list<std::string_view> later = {}) {
  std::array<std::string_view, count> names;
  for (std::size_t at = 0; at < count; ++at)
    names[at] = name_of(values[at]);
  const std::string chosen = choice(map, key, names.front(), names, later);
  for (std::size_t at = 0; at < count; ++at)
    if (names[at] == chosen)
      return values[at];
  return values.front();
}

// The same with one value so far.
void only(config::MapReader& map, std::string_view key, std::string_view value,
          std::initializer_list<std::string_view> later);

} // namespace moesim::scenario
