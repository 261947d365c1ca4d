// A figure as a document prints it: a number with its unit, a bound ("< 6s") or a span ("15-20%"). Values are in base
// units (s, B, FLOP, tokens/s, a share of 1); the unit is kept, so that answers come in the document's own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "simulator/config/field_value.hpp"
#include "simulator/config/node.hpp"

namespace moesim::claims {

enum class Measure : std::uint8_t {
  Count,      // GPUs, modules, experts: exact
  Parameters, // of a model
  Share,      // of a whole, in percent
  Factor,     // "3x"
  Time,
  Size,
  TokenRate,
  SequenceRate,
  Flops,
  FlopsRate,
  Bandwidth,
};

// A value in base units is number x factor.
struct Unit {
  std::string_view name;
  double factor = 1;
};
// What a measure's figures may be written in; a Count has no unit.
[[nodiscard]] std::span<const Unit> units_of(Measure measure);

enum class Relation : std::uint8_t { Equal, Below, Above, Between };

struct Figure {
  Relation relation = Relation::Equal;
  double value = 0;    // base units; the lower end of a span
  double upper = 0;    // the upper end of a span, else the value
  double rounding = 0; // base units: how far a number that is printed so can be from what was meant; of a bound 0
  Unit unit;
  std::string text; // as the scenario has it
};

// How far off a printed number can be: half a unit of its last digit, trailing zeros before the decimal point not
// counted as such, and at most this share of it ("8000" may be 7,600, not 7,500; "2GB" 1.9 GB, not 1.5).
inline constexpr double most_rounding = 0.05;

// `digits` is a decimal number; in its own unit. Of a count 0.
[[nodiscard]] double rounding_of(std::string_view digits, Measure measure);

[[nodiscard]] config::Reading<Figure> read_figure(const config::Node& node, Measure measure);

// A value in base units as a number of `unit`: grouped in thousands, at most four digits where it is no whole number.
[[nodiscard]] std::string number_text(double value, const Unit& unit);
// The same with the unit behind it.
[[nodiscard]] std::string value_text(double value, const Unit& unit);

} // namespace moesim::claims
