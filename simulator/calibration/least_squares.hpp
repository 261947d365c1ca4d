// Least squares of a few positive parameters (Levenberg, Quart. Appl. Math. 2, 1944; Marquardt, J. SIAM 11, 1963), in
// their logarithms: what is sought spans many orders of magnitude, from microseconds to terabytes a second.
#pragma once

#include <functional>
#include <vector>

namespace moesim::calibration {

using Residuals = std::function<std::vector<double>(const std::vector<double>&)>; // of the parameters

struct Fit {
  std::vector<double> parameters;
  double sum_of_squares = 0;
};

// The parameters near `start` (all above zero) with the smallest sum of squares that steps find. The same input gives
// the same result.
[[nodiscard]] Fit least_squares(const Residuals& residuals, std::vector<double> start);

} // namespace moesim::calibration
