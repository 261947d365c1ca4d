// Numbers with a unit, as people write them: "64 GiB", "400Gbps", "2us".
#pragma once

#include <span>
#include <string_view>

#include "simulator/config/field_value.hpp"

namespace moesim::config {

// A value in base units is number x factor / divisor. Powers of ten below one have no exact factor: 5 / 1e6 is the
// double nearest to 5e-6, 5 x 1e-6 is not.
struct Unit {
  std::string_view name;
  double factor;
  double divisor = 1;
};

// What a field measures, and how to say so.
struct Dimension {
  std::string_view expected; // "a size such as 80GB or 64GiB"
  std::string_view usual;    // the unit to suggest for a bare number
  std::span<const Unit> units;
  // In base units, and as people write them. Wider than anything that exists, narrow enough that whatever is computed
  // from a value is a finite number, too.
  double least;
  double most;
  std::string_view range;
};

extern const Dimension size_dimension;       // bytes
extern const Dimension time_dimension;       // seconds
extern const Dimension bandwidth_dimension;  // bytes per second; units of bits are divided by 8
extern const Dimension flops_rate_dimension; // FLOP per second

// The value in base units. A text in quotes is as good as a plain one: JSON has no other way to write a unit.
[[nodiscard]] Reading<double> read_quantity(const Node& node, const Dimension& dimension);

} // namespace moesim::config
