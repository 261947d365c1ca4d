// Random numbers that depend on a key alone, so that results do not depend on the order in which they are asked for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>

namespace moesim::workloads {

// SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014, figure 16): a counter and a
// mix of it. The key is mixed in word by word.
class RandomStream {
public:
  using result_type = std::uint64_t; // NOLINT(readability-identifier-naming): as the standard library calls it

  explicit RandomStream(std::initializer_list<std::uint64_t> key) {
    for (const std::uint64_t word : key)
      state_ = mixed(state_ ^ word);
  }

  result_type operator()() { return mixed(state_ += step); }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;

  static constexpr std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
  }

  std::uint64_t state_ = step;
};

} // namespace moesim::workloads
