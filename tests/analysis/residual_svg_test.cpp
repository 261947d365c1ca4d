// The picture of errors against size.
#include "analysis/residual_svg.hpp"

#include <gmock/gmock.h>

namespace moesim::analysis {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

ResidualPicture picture() {
  return {"some.yaml",
          "bytes",
          {{"small", 1e3, 1, "H100", "llama"},
           {"large", 1e9, 2, "H100", "a<b"},
           {"way off", 1e6, 1e9, "B200", "llama"},
           {"without a size", 0, 1, "B200", "llama"}}};
}

TEST(ResidualSvg, HasAMarkForEachResidualInBothPanels) {
  const std::vector<ResidualPicture> pictures{picture()};
  const std::string svg = residual_svg(pictures, 1200);
  EXPECT_EQ(count(svg, "class=\"residual\""), 2U * 3U);
  EXPECT_THAT(svg, HasSubstr("large (H100, a&lt;b): 1e+09 bytes, predicted 2 times what was measured"));
  EXPECT_THAT(svg, Not(HasSubstr("without a size")));
}

// Right, twice as long, and so far off that it stands at the edge: one is a third of the way from the middle to the
// top.
TEST(ResidualSvg, PlacesMarksOnLogarithmicAxes) {
  const std::vector<ResidualPicture> pictures{picture()};
  const std::string svg = residual_svg(pictures, 1200);
  const auto y_of = [&](const std::string& name) {
    const std::size_t tooltip = svg.find("<title>" + name);
    const std::size_t rectangle = svg.rfind("<rect", tooltip);
    return std::stod(svg.substr(svg.find(" y=\"", rectangle) + 4));
  };
  const double middle = y_of("small");
  const double edge = y_of("way off");
  EXPECT_LT(edge, middle);
  EXPECT_NEAR((middle - y_of("large")) / (middle - edge), 1.0 / 3, 0.01);
}

TEST(ResidualSvg, SaysWhenNothingWasCompared) {
  const std::vector<ResidualPicture> pictures{{"empty.yaml", "", {}}};
  EXPECT_THAT(residual_svg(pictures, 800), HasSubstr("nothing with a size was compared"));
}

} // namespace
} // namespace moesim::analysis
