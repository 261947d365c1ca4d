#include "simulator/config/yaml_text.hpp"

#include <fmt/format.h>

namespace moesim::config {

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

} // namespace moesim::config
