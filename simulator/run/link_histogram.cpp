#include "simulator/run/link_histogram.hpp"

#include <algorithm>

namespace moesim::run {

void LinkHistogram::add(std::uint32_t link, Bytes amount, Seconds start, Seconds end) {
  while (end.value() >= width_ * static_cast<double>(bins))
    widen();
  double* slices = &bytes_[link * bins];
  const auto first = static_cast<std::size_t>(start.value() / width_);
  const auto last = static_cast<std::size_t>(end.value() / width_);
  if (first == last) {
    slices[first] += amount.value();
    return;
  }
  const double rate = amount.value() / (end - start).value();
  const double head = rate * (width_ * static_cast<double>(first + 1) - start.value());
  slices[first] += head;
  for (std::size_t bin = first + 1; bin < last; ++bin)
    slices[bin] += rate * width_;
  // The rest, by difference, so that nothing is lost to rounding.
  slices[last] += amount.value() - head - rate * width_ * static_cast<double>(last - first - 1);
}

void LinkHistogram::widen() {
  for (std::size_t at = 0; at < bytes_.size(); at += bins) {
    for (std::size_t bin = 0; bin < bins / 2; ++bin)
      bytes_[at + bin] = bytes_[at + 2 * bin] + bytes_[at + 2 * bin + 1];
    std::fill_n(&bytes_[at + bins / 2], bins / 2, 0.0);
  }
  width_ *= 2;
}

} // namespace moesim::run
