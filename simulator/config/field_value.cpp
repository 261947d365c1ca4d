#include "simulator/config/field_value.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::config {
namespace {

// A bound that nobody chose is not worth a word in a message.
bool is_open_above(IntegerRange range) {
  return range.max >= IntegerRange{}.max;
}

std::string closed(IntegerRange range) {
  return fmt::format("a whole number from {} to {}", range.min, range.max);
}

bool is_open_above(NumberRange range) {
  return range.max >= NumberRange{}.max;
}

bool is_plain(const Node& node) {
  return node.kind == Node::Kind::Scalar && !node.quoted;
}

// Quotes are the one mistake here that a reader does not see.
std::string number_mismatch(const Node& node, const std::string& expected) {
  const bool only_quotes = node.kind == Node::Kind::Scalar && node.quoted && is_number(node.scalar);
  return mismatch(node, expected) + (only_quotes ? ", without quotes" : "");
}

std::string out_of_range(const Node& node, std::string_view how, const std::string& expected) {
  return fmt::format("{} is too {}; expected {}", shown(node.scalar), how, expected);
}

} // namespace

std::string expectation(IntegerRange range) {
  if (range.min == range.max)
    return fmt::format("{}", range.min);
  if (is_open_above(range))
    return fmt::format("a whole number of at least {}", range.min);
  return closed(range);
}

std::string expectation(NumberRange range) {
  const bool excludes_zero = range.min == std::numeric_limits<double>::min();
  if (is_open_above(range) && range.min <= std::numeric_limits<double>::lowest())
    return "a number";
  if (is_open_above(range))
    return excludes_zero ? "a number greater than 0" : fmt::format("a number of at least {}", range.min);
  if (excludes_zero)
    return fmt::format("a number greater than 0, up to {}", range.max);
  return fmt::format("a number from {} to {}", range.min, range.max);
}

std::string expectation(std::span<const std::string_view> names) {
  return fmt::format("{}{}", names.size() == 1 ? "" : "one of ", fmt::join(names, ", "));
}

std::string mismatch(const Node& node, std::string_view expected) {
  if (node.kind == Node::Kind::Null)
    return fmt::format("no value given; expected {}", expected);
  return fmt::format("found {}; expected {}", description(node), expected);
}

Reading<std::int64_t> read_integer(const Node& node, IntegerRange range) {
  const std::string expected = expectation(range);
  if (!is_plain(node) || !is_integer(node.scalar))
    return {std::nullopt, number_mismatch(node, expected)};
  const std::int64_t value = integer_value(node.scalar);
  if (value < range.min)
    return {std::nullopt, out_of_range(node, "small", expected)};
  if (value > range.max)
    return {std::nullopt, out_of_range(node, "large", is_open_above(range) ? closed(range) : expected)};
  return {value, ""};
}

Reading<double> read_number(const Node& node, NumberRange range) {
  const std::string expected = expectation(range);
  if (!is_plain(node) || !is_number(node.scalar))
    return {std::nullopt, number_mismatch(node, expected)};
  const std::optional<double> value = number_value(node.scalar);
  if (!value)
    return {std::nullopt,
            fmt::format("{} is beyond what a number can hold; expected {}", shown(node.scalar), expected)};
  if (*value < range.min)
    return {std::nullopt, out_of_range(node, "small", expected)};
  if (*value > range.max)
    return {std::nullopt, out_of_range(node, "large", expected)};
  return {value, ""};
}

Reading<bool> read_boolean(const Node& node) {
  const auto value = is_plain(node) ? boolean(node.scalar) : std::nullopt;
  if (!value)
    return {std::nullopt, mismatch(node, "true or false")};
  return {value, ""};
}

Reading<std::string> read_choice(const Node& node, std::span<const std::string_view> names) {
  if (node.kind != Node::Kind::Scalar)
    return {std::nullopt, mismatch(node, expectation(names))};
  if (std::find(names.begin(), names.end(), node.scalar) != names.end())
    return {node.scalar, ""};
  std::vector<std::string> listed(names.begin(), names.end());
  const auto near = nearest(node.scalar, listed);
  if (near)
    std::rotate(listed.begin(), std::find(listed.begin(), listed.end(), *near),
                std::find(listed.begin(), listed.end(), *near) + 1);
  const std::string question = near ? fmt::format("did you mean '{}'? ", *near) : "";
  const std::vector<std::string_view> ordered(listed.begin(), listed.end());
  return {std::nullopt,
          fmt::format("unknown value '{}'; {}expected {}", shown(node.scalar), question, expectation(ordered))};
}

} // namespace moesim::config
