// Turns one node into one value, or says what is wrong with it and what would be right.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"

namespace moesim::config {

// A value, or the message about it.
template <class T>
struct Reading {
  std::optional<T> value;
  std::string problem; // empty when there is a value
};

// "a whole number from 1 to 8", "a number of at least 0"
[[nodiscard]] std::string expectation(IntegerRange range);
[[nodiscard]] std::string expectation(NumberRange range);
// "one of bf16, fp16"
[[nodiscard]] std::string expectation(std::span<const std::string_view> names);

// `found the text "eight"; expected EXPECTED`
[[nodiscard]] std::string mismatch(const Node& node, std::string_view expected);

[[nodiscard]] Reading<std::int64_t> read_integer(const Node& node, IntegerRange range);
[[nodiscard]] Reading<double> read_number(const Node& node, NumberRange range);
[[nodiscard]] Reading<bool> read_boolean(const Node& node);
[[nodiscard]] Reading<std::string> read_choice(const Node& node, std::span<const std::string_view> names);

} // namespace moesim::config
