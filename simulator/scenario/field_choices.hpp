// What several sections of a scenario read alike.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "simulator/config/map_reader.hpp"

namespace moesim::scenario {

inline constexpr config::IntegerRange degree{.min = 1, .max = 1'000'000};

// One of the values of an enum, by its name; the first of them when absent.
template <class Enum, std::size_t count>
Enum enum_choice(config::MapReader& map, std::string_view key, const std::array<Enum, count>& values) {
  std::array<std::string_view, count> names;
  for (std::size_t at = 0; at < count; ++at)
    names[at] = name_of(values[at]);
  const std::string chosen = map.choice_or(key, names.front(), names);
  for (std::size_t at = 0; at < count; ++at)
    if (names[at] == chosen)
      return values[at];
  return values.front();
}

} // namespace moesim::scenario
