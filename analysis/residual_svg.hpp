// Predicted over measured against size, as a picture: where a model is wrong, and whether size, hardware or model says
// why.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace moesim::analysis {

struct Residual {
  std::string name; // of the point
  double size = 0;  // in the unit of the picture
  double ratio = 1; // predicted over measured, above 0
  std::string hardware;
  std::string model; // or what else was measured
};

struct ResidualPicture {
  std::string title;
  std::string size_label; // "bytes"
  std::vector<Residual> residuals;
};

// One below the other: on the left a mark for each residual in the colour of its hardware, on the right in that of its
// model. Both axes are logarithmic; what is off by more than a factor of eight stands at the edge. Residuals without a
// size are left out.
[[nodiscard]] std::string residual_svg(std::span<const ResidualPicture> pictures, double width);

// The same as a page, in which marks say what they are.
[[nodiscard]] std::string residual_page(std::span<const ResidualPicture> pictures);

} // namespace moesim::analysis
