#include "analysis/svg_canvas.hpp"

#include <fmt/format.h>

namespace moesim::analysis {

std::string svg_number(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
    case '&':
      escaped += "&amp;";
      break;
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '"':
      escaped += "&quot;";
      break;
    default:
      // XML has no other control characters, not even escaped.
      escaped += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return escaped;
}

void SvgCanvas::rectangle(const Box& box, std::string_view attributes, std::string_view tooltip) {
  body_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}", svg_number(box.x), svg_number(box.y),
                       svg_number(box.width), svg_number(box.height), attributes);
  body_ += tooltip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", xml_escaped(tooltip));
}

void SvgCanvas::line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", svg_number(x1), svg_number(y1),
                       svg_number(x2), svg_number(y2), attributes);
}

void SvgCanvas::text(double x, double y, std::string_view text, std::string_view attributes) {
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" {}>{}</text>\n", svg_number(x), svg_number(y), attributes,
                       xml_escaped(text));
}

void SvgCanvas::path(std::string_view data, std::string_view attributes) {
  body_ += fmt::format("<path {} d=\"{}\"/>\n", attributes, data);
}

void SvgCanvas::open_group(std::string_view attributes) {
  body_ += fmt::format("<g {}>\n", attributes);
}

void SvgCanvas::close_group() {
  body_ += "</g>\n";
}

std::string SvgCanvas::document(double width, double height) const {
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n"
                     "{2}</svg>\n",
                     svg_number(width), svg_number(height), body_);
}

} // namespace moesim::analysis
