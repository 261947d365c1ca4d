#include "simulator/config/quote.hpp"

#include <fmt/format.h>

#include "simulator/config/number.hpp"

namespace moesim::config {
namespace {

constexpr std::size_t shown_characters = 60;

// The character at `at`: one byte and the continuation bytes after it. Text that is not UTF-8 comes here too (names of
// files), so a first byte cannot be trusted to tell how many follow.
std::string_view character_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && end < at + 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    ++end;
  return text.substr(at, end - at);
}

// U+0080..U+009F: terminals obey them as they obey the ASCII control characters.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
}

std::string escaped(std::string_view character) {
  switch (character[0]) {
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    break;
  }
  const auto byte = static_cast<unsigned char>(character[0]);
  if (byte < 0x20 || byte == 0x7F)
    return fmt::format("\\x{:02x}", byte);
  if (is_c1_control(character))
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(character[1]));
  return std::string(character);
}

} // namespace

std::string shown(std::string_view text) {
  std::string line;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == shown_characters)
      return line + "...";
    const std::string_view character = character_at(text, at);
    line += escaped(character);
    at += character.size();
  }
  return line;
}

std::string description(const Node& node) {
  switch (node.kind) {
  case Node::Kind::Null:
    return "no value";
  case Node::Kind::Sequence:
    return "a list";
  case Node::Kind::Map:
    return "a map";
  case Node::Kind::Scalar:
    break;
  }
  if (!node.quoted && is_number(node.scalar))
    return fmt::format("the number {}", shown(node.scalar));
  if (!node.quoted && boolean(node.scalar))
    return fmt::format("the boolean {}", node.scalar);
  return fmt::format("the text \"{}\"", shown(node.scalar));
}

} // namespace moesim::config
