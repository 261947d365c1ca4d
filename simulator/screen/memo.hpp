// Keeps what was worked out, by what it was worked out from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace moesim::screen {

// Of some whole numbers; the mixing step is that of splitmix64 (Steele et al., OOPSLA 2014).
[[nodiscard]] inline std::size_t hash_of(std::initializer_list<std::uint64_t> values) {
  std::uint64_t hash = 0;
  for (const std::uint64_t value : values) {
    hash = (hash ^ value) + 0x9e3779b97f4a7c15U;
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
    hash ^= hash >> 27U;
  }
  return static_cast<std::size_t>(hash);
}

// What `map` has under the key; made by make() the first time. When that throws, nothing is kept.
template <class Map, class Make>
const typename Map::mapped_type& kept(Map& map, const typename Map::key_type& key, Make&& make) {
  const auto known = map.find(key);
  return known != map.end() ? known->second : map.emplace(key, make()).first->second;
}

} // namespace moesim::screen
