#include "analysis/text_flow.hpp"

#include "analysis/svg_style.hpp"

#include <sstream>

namespace moesim::analysis {
namespace {

std::string cut_to(const std::string& text, double width, double font_size) {
  if (text_width(text, font_size) <= width)
    return text;
  std::size_t end = 0;
  for (double used = text_width("…", font_size); end < text.size(); ++end) {
    const bool is_letter = (text[end] & 0xC0) != 0x80; // and not the rest of one of several bytes
    used += is_letter ? text_width("x", font_size) : 0;
    if (used > width)
      break;
  }
  return text.substr(0, end) + "…";
}

} // namespace

std::vector<std::string> lines_of(const std::vector<std::string>& pieces, std::string_view separator, double width,
                                  double font_size) {
  std::vector<std::string> lines;
  for (const std::string& piece : pieces) {
    const std::string longer = lines.empty() ? "" : lines.back() + std::string(separator) + piece;
    if (!lines.empty() && text_width(longer, font_size) <= width)
      lines.back() = longer;
    else
      lines.push_back(cut_to(piece, width, font_size));
  }
  return lines;
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

} // namespace moesim::analysis
