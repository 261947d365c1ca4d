// Writes the few SVG elements that a timeline needs. Coordinates are pixels with two decimals at most; texts are
// escaped.
#pragma once

#include <string>
#include <string_view>

namespace moesim::analysis {

// A number as SVG wants it: "12.5", never "12.50" or "1e-7".
[[nodiscard]] std::string svg_number(double value);
[[nodiscard]] std::string xml_escaped(std::string_view text);

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

class SvgCanvas {
public:
  // `attributes` is put into an element as it is: `class="grid"`.
  void rectangle(const Box& box, std::string_view attributes, std::string_view tooltip = {});
  void line(double x1, double y1, double x2, double y2, std::string_view attributes);
  void text(double x, double y, std::string_view text, std::string_view attributes);
  void path(std::string_view data, std::string_view attributes);
  void open_group(std::string_view attributes);
  void close_group();
  void raw(std::string_view markup) { body_ += markup; }

  // What was drawn so far.
  [[nodiscard]] const std::string& body() const { return body_; }
  // The whole document.
  [[nodiscard]] std::string document(double width, double height) const;

private:
  std::string body_;
};

} // namespace moesim::analysis
