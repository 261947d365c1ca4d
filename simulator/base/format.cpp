#include "simulator/base/format.hpp"

#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace moesim {
namespace {

// Four significant digits in the largest unit that leaves at least 1.
std::string scaled(double value, double base, std::array<std::string_view, 7> units) {
  std::size_t unit = 0;
  while (std::abs(value) >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  return fmt::format("{:.4g} {}", value, units[unit]);
}

} // namespace

std::string format_seconds(Seconds time) {
  const double seconds = time.value();
  const double size = std::abs(seconds);
  if (size >= 1 || size == 0)
    return fmt::format("{:.4g} s", seconds);
  if (size >= 1e-3)
    return fmt::format("{:.4g} ms", seconds * 1e3);
  if (size >= 1e-6)
    return fmt::format("{:.4g} us", seconds * 1e6);
  return fmt::format("{:.4g} ns", seconds * 1e9);
}

std::string format_bytes(Bytes amount) {
  return scaled(amount.value(), 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"});
}

std::string format_flops(Flops amount) {
  return scaled(amount.value(), 1000, {"FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP"});
}

std::string format_bandwidth(BytesPerSecond rate) {
  return scaled(rate.value(), 1000, {"B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s"});
}

std::string format_flops_rate(FlopsPerSecond rate) {
  return scaled(rate.value(), 1000, {"FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s", "PFLOP/s", "EFLOP/s"});
}

std::string format_count(std::int64_t count) {
  std::string digits = fmt::format("{}", count);
  const std::size_t first = digits.front() == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3)
    digits.insert(at - 3, 1, ',');
  return digits;
}

} // namespace moesim
