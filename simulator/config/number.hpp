// Plain scalars as YAML 1.2 reads them: decimal numbers, true and false. No locale, no octal, no underscores.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace moesim::config {

// How many characters at the start of `text` form a decimal number such as -1.5e3; 0 when none do.
[[nodiscard]] std::size_t number_length(std::string_view text);

// Whether all of `text` is a number. Infinity and NaN (.inf, .nan) are not.
[[nodiscard]] bool is_number(std::string_view text);

// The value of a text that is_number(), or nullopt when a double cannot hold it (1e999).
[[nodiscard]] std::optional<double> number_value(std::string_view text);

// Whether all of `text` is digits with an optional sign.
[[nodiscard]] bool is_integer(std::string_view text);

// The value of a text that is_integer(), held to the ends of an int64 when it lies beyond them.
[[nodiscard]] std::int64_t integer_value(std::string_view text);

[[nodiscard]] std::optional<bool> boolean(std::string_view text);

} // namespace moesim::config
