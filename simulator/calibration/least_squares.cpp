#include "simulator/calibration/least_squares.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace moesim::calibration {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

constexpr int most_steps = 300;
constexpr double difference = 1e-5;      // of a logarithm, for derivatives
constexpr double largest_damping = 1e12; // a step this damped changes nothing
constexpr double enough = 1e-14;         // relative fall of the sum of squares

double squares(const Vector& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

// Solves a x = b for a symmetric positive a (Gaussian elimination; the damping keeps pivots above zero).
Vector solve(Matrix a, Vector b) {
  const std::size_t size = b.size();
  for (std::size_t pivot = 0; pivot < size; ++pivot)
    for (std::size_t row = pivot + 1; row < size; ++row) {
      const double factor = a[row][pivot] / a[pivot][pivot];
      for (std::size_t column = pivot; column < size; ++column)
        a[row][column] -= factor * a[pivot][column];
      b[row] -= factor * b[pivot];
    }
  for (std::size_t row = size; row-- > 0;) {
    for (std::size_t column = row + 1; column < size; ++column)
      b[row] -= a[row][column] * b[column];
    b[row] /= a[row][row];
  }
  return b;
}

class Search {
public:
  Search(const Residuals& residuals, const Vector& start) : residuals_(residuals), logs_(start.size()) {
    std::ranges::transform(start, logs_.begin(), [](double value) { return std::log(value); });
    values_ = at(logs_);
  }

  Fit run() {
    double damping = 1e-3;
    for (int step = 0; step < most_steps && damping < largest_damping; ++step) {
      const double before = squares(values_);
      if (!improves(damping)) {
        damping *= 4;
        continue;
      }
      damping = std::max(1e-12, damping / 4);
      if (before - squares(values_) <= enough * before)
        break;
    }
    return {parameters(logs_), squares(values_)};
  }

private:
  static Vector parameters(const Vector& logs) {
    Vector result(logs.size());
    std::ranges::transform(logs, result.begin(), [](double value) { return std::exp(value); });
    return result;
  }

  [[nodiscard]] Vector at(const Vector& logs) const { return residuals_(parameters(logs)); }

  // One derivative of every residual for each parameter.
  [[nodiscard]] Matrix derivatives() const {
    Matrix result;
    for (std::size_t parameter = 0; parameter < logs_.size(); ++parameter) {
      Vector moved = logs_;
      moved[parameter] += difference;
      Vector& column = result.emplace_back(at(moved));
      for (std::size_t row = 0; row < column.size(); ++row)
        column[row] = (column[row] - values_[row]) / difference;
    }
    return result;
  }

  // Takes the damped step if it makes the sum of squares smaller.
  bool improves(double damping) {
    const Matrix slopes = derivatives();
    Matrix curvature(slopes.size(), Vector(slopes.size()));
    Vector downhill(slopes.size());
    for (std::size_t row = 0; row < slopes.size(); ++row) {
      for (std::size_t column = 0; column < slopes.size(); ++column)
        curvature[row][column] =
            std::inner_product(slopes[row].begin(), slopes[row].end(), slopes[column].begin(), 0.0);
      downhill[row] = -std::inner_product(slopes[row].begin(), slopes[row].end(), values_.begin(), 0.0);
    }
    for (std::size_t row = 0; row < slopes.size(); ++row)
      curvature[row][row] += damping * std::max(curvature[row][row], difference);
    const Vector step = solve(curvature, downhill);
    Vector moved = logs_;
    for (std::size_t parameter = 0; parameter < moved.size(); ++parameter)
      moved[parameter] += std::clamp(step[parameter], -1.0, 1.0);
    const Vector values = at(moved);
    if (!(squares(values) < squares(values_)))
      return false;
    logs_ = moved;
    values_ = values;
    return true;
  }

  const Residuals& residuals_;
  Vector logs_;
  Vector values_;
};

} // namespace

Fit least_squares(const Residuals& residuals, std::vector<double> start) {
  return Search(residuals, start).run();
}

} // namespace moesim::calibration
