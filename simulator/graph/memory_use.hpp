// What the memory of a GPU is taken for.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

#include "simulator/base/units.hpp"

namespace moesim::graph {

enum class Memory : std::uint8_t {
  Weights,
  Gradients,
  Optimizer,
  Activations,   // kept from the forward to the backward of a micro-batch
  KvCache,       // keys and values of the tokens so far
  Communication, // what a collective or transfer writes, while it runs
  Workspace,     // what a kernel reads and writes besides, while it runs
};
inline constexpr std::size_t memory_count = 7;

// Communication and workspace last no longer than a task; the rest is held from one task to another.
inline constexpr std::size_t lasting_memory_count = 5;

[[nodiscard]] std::string_view name_of(Memory memory);

// Bytes by category.
class MemoryUse {
public:
  [[nodiscard]] Bytes& operator[](Memory memory) { return bytes_[static_cast<std::size_t>(memory)]; }
  [[nodiscard]] Bytes operator[](Memory memory) const { return bytes_[static_cast<std::size_t>(memory)]; }
  [[nodiscard]] Bytes total() const { return std::accumulate(bytes_.begin(), bytes_.end(), Bytes()); }

  // Whether anything is held from one task to another, and whether anything at all.
  [[nodiscard]] bool lasts() const {
    return std::any_of(bytes_.begin(), bytes_.begin() + lasting_memory_count, is_some);
  }
  [[nodiscard]] bool empty() const { return std::none_of(bytes_.begin(), bytes_.end(), is_some); }

  MemoryUse& operator+=(const MemoryUse& other) {
    for (std::size_t at = 0; at < memory_count; ++at)
      bytes_[at] += other.bytes_[at];
    return *this;
  }
  MemoryUse& operator-=(const MemoryUse& other) {
    for (std::size_t at = 0; at < memory_count; ++at)
      bytes_[at] -= other.bytes_[at];
    return *this;
  }
  bool operator==(const MemoryUse&) const = default;

private:
  static bool is_some(Bytes bytes) { return bytes != Bytes(); }

  std::array<Bytes, memory_count> bytes_{};
};

} // namespace moesim::graph
