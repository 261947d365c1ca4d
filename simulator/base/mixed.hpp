// A hash whose bits depend on every bit of what goes in: for numbers that hardly two inputs are to have in common.
#pragma once

#include <cstdint>

namespace moesim {

// Of two numbers, in this order: the finalizer of splitmix64 (Steele et al., OOPSLA 2014).
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a * 0x9e3779b97f4a7c15U + b + 0x632be59bd9b4e019U;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

} // namespace moesim
