#include "simulator/config/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace moesim::config {
namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool is_sign(char letter) {
  return letter == '+' || letter == '-';
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end]))
    ++end;
  return end - at;
}

// std::from_chars knows no leading plus.
std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') ? text.substr(1) : text;
}

} // namespace

std::size_t number_length(std::string_view text) {
  std::size_t at = !text.empty() && is_sign(text[0]) ? 1 : 0;
  std::size_t digits = digits_from(text, at);
  at += digits;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_from(text, at + 1);
    digits += fraction;
    at += fraction + 1;
  }
  if (digits == 0)
    return 0;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t first = at + 1 < text.size() && is_sign(text[at + 1]) ? at + 2 : at + 1;
    if (const std::size_t exponent = digits_from(text, first); exponent > 0)
      at = first + exponent;
  }
  return at;
}

bool is_number(std::string_view text) {
  return !text.empty() && number_length(text) == text.size();
}

std::optional<double> number_value(std::string_view text) {
  const std::string_view digits = without_plus(text);
  double value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec != std::errc() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

bool is_integer(std::string_view text) {
  const std::size_t sign = !text.empty() && is_sign(text[0]) ? 1 : 0;
  return text.size() > sign && sign + digits_from(text, sign) == text.size();
}

std::int64_t integer_value(std::string_view text) {
  const std::string_view digits = without_plus(text);
  std::int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range)
    return digits.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                   : std::numeric_limits<std::int64_t>::max();
  return value;
}

std::optional<bool> boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE")
    return true;
  if (text == "false" || text == "False" || text == "FALSE")
    return false;
  return std::nullopt;
}

} // namespace moesim::config
