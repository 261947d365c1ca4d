#include "simulator/config/yaml_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesim::config {
namespace {

// Whether a text means the same without quotes, wherever it stands.
bool is_plain_everywhere(std::string_view text) {
  constexpr std::string_view others = "_./+()=% -";
  const auto is_harmless = [&](char letter) {
    const bool is_alphanumeric =
        (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    return is_alphanumeric || others.find(letter) != std::string_view::npos;
  };
  const bool is_framed = text.empty() || text.front() == ' ' || text.back() == ' ' || text.front() == '%' ||
                         text.front() == '=' || text == "-" || text.starts_with("- ") || text.starts_with("---") ||
                         text.starts_with("...");
  return !is_framed && std::ranges::all_of(text, is_harmless);
}

} // namespace

std::string double_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\')
      result += fmt::format("\\{}", letter);
    else if (code < 0x20 || code == 0x7f)
      result += fmt::format("\\x{:02x}", code);
    else
      result += letter;
  }
  return result + "\"";
}

std::string flow_text(const Node& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
  case Node::Kind::Null:
    return "null";
  case Node::Kind::Scalar:
    return node.quoted || !is_plain_everywhere(node.scalar) ? double_quoted(node.scalar) : node.scalar;
  case Node::Kind::Sequence:
    for (const Node& item : node.items)
      parts.push_back(flow_text(item));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  case Node::Kind::Map:
    for (const Entry& entry : node.entries)
      parts.push_back(fmt::format("{}: {}", is_plain_everywhere(entry.key) ? entry.key : double_quoted(entry.key),
                                  flow_text(entry.value)));
  }
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

} // namespace moesim::config
