#include "simulator/config/source_text.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace moesim::config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string with_plain_line_ends(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool ends_line = text[at] == '\r';
    plain += ends_line ? '\n' : text[at];
    if (ends_line && at + 1 < text.size() && text[at + 1] == '\n')
      ++at;
  }
  return plain;
}

// How many bytes follow the first byte of a UTF-8 character; -1 for a byte that starts none.
int continuation_bytes(unsigned char first) {
  if (first < 0x80)
    return 0;
  if (first >= 0xC2 && first < 0xE0)
    return 1;
  if (first >= 0xE0 && first < 0xF0)
    return 2;
  return first >= 0xF0 && first < 0xF5 ? 3 : -1;
}

bool is_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code < 0xE000;
}

// The size in bytes of the UTF-8 character at `at`, or 0 when there is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const int more = continuation_bytes(first);
  if (more < 0 || text.size() - at <= static_cast<std::size_t>(more))
    return 0;
  if (more == 0)
    return 1;
  std::uint32_t code = first & (0x3Fu >> more);
  for (std::size_t next = at + 1; next <= at + static_cast<std::size_t>(more); ++next) {
    const auto byte = static_cast<unsigned char>(text[next]);
    if ((byte & 0xC0) != 0x80)
      return 0;
    code = (code << 6) | (byte & 0x3Fu);
  }
  constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  const bool valid = code >= smallest[more] && code <= 0x10FFFF && !is_surrogate(code);
  return valid ? static_cast<std::size_t>(more) + 1 : 0;
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && letter != '\t' && letter != '\n') || byte == 0x7F;
}

} // namespace

std::string checked_text(const std::string& text, const Position& start) {
  std::string_view body = text;
  if (body.starts_with(byte_order_mark))
    body.remove_prefix(byte_order_mark.size());
  std::string plain = with_plain_line_ends(body);
  for (std::size_t at = 0; at < plain.size();) {
    const std::size_t size = character_size(plain, at);
    const auto byte = static_cast<unsigned char>(plain[at]);
    if (size == 0)
      throw InputError(position_at(plain, at, start), "",
                       fmt::format("the byte 0x{:02x} is not UTF-8; expected a text file in UTF-8", byte));
    if (is_control(plain[at]))
      throw InputError(position_at(plain, at, start), "",
                       fmt::format("the control character 0x{:02x} is not text; expected a text file in UTF-8", byte));
    at += size;
  }
  return plain;
}

Position position_at(const std::string& text, std::size_t offset, const Position& start) {
  const std::string_view before = std::string_view(text).substr(0, offset);
  const auto lines = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  if (lines == 0)
    return {start.file, start.line, start.column + static_cast<int>(before.size())};
  return {start.file, start.line + lines, static_cast<int>(before.size() - before.rfind('\n'))};
}

} // namespace moesim::config
