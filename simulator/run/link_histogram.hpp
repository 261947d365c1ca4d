// Bytes over time on every link, while the end of the run is not yet known: a fixed number of slices whose width
// doubles whenever time runs past the last one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::run {

class LinkHistogram {
public:
  static constexpr std::size_t bins = 256;

  explicit LinkHistogram(std::size_t links) : bytes_(links * bins, 0) {}

  // Spreads `amount` evenly over [start, end]; a flow without duration falls into one slice.
  void add(std::uint32_t link, Bytes amount, Seconds start, Seconds end);

  [[nodiscard]] double bin_width() const { return width_; }
  // [link * bins + bin], bytes
  [[nodiscard]] const std::vector<double>& bytes() const { return bytes_; }

private:
  void widen();

  double width_ = 1e-6; // s; powers of two of it, so that a slice is always a whole number of earlier slices
  std::vector<double> bytes_;
};

} // namespace moesim::run
