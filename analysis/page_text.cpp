#include "analysis/page_text.hpp"

#include "simulator/base/check.hpp"

namespace moesim::analysis {

std::string script_safe(std::string_view json) {
  std::string text;
  for (const char c : json)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

std::string filled(std::string_view page, const std::map<std::string_view, std::string>& values) {
  std::string text;
  while (true) {
    const std::size_t open = page.find("{{");
    text += page.substr(0, open);
    if (open == std::string_view::npos)
      return text;
    const std::size_t close = page.find("}}", open);
    const auto value = values.find(page.substr(open + 2, close - open - 2));
    MOESIM_CHECK(value != values.end(), "the template names a value that nobody gives");
    text += value->second;
    page.remove_prefix(close + 2);
  }
}

} // namespace moesim::analysis
