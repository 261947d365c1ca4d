// What a claim can be about: a closed vocabulary. A quantity that a simulation gives is compared with it; the others
// are judged by arithmetic alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "simulator/claims/figure.hpp"

namespace moesim::claims {

// How far a simulated figure may be from the claimed one, relative to it. A quantity has one of these.
enum class Accuracy : std::uint8_t {
  NotSimulated,
  Exact,  // counts, FLOPs, and loads of a routing that is given
  Memory, // 10 %: allocators and libraries hold what no count of tensors shows
  Timing, // 20 %: kernels are within 5 to 10 % on average (platforms/README.md), and their errors add up in a run
};
[[nodiscard]] double tolerance_of(Accuracy accuracy);

struct Quantity {
  std::string_view name; // as `about:` has it
  Measure measure = Measure::Count;
  Accuracy accuracy = Accuracy::NotSimulated;
  std::string_view meaning;
};

// Every quantity: those of arithmetic, then those that are simulated.
[[nodiscard]] std::span<const Quantity> quantities();

} // namespace moesim::claims
