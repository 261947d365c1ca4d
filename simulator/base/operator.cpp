#include "simulator/base/operator.hpp"

#include <array>

namespace moesim {

std::string_view name_of(Precision precision) {
  constexpr std::array<std::string_view, 4> names{"fp32", "bf16", "fp16", "fp8"};
  return names[static_cast<std::size_t>(precision)];
}

double bytes_per_element(Precision precision) {
  constexpr std::array<double, 4> sizes{4, 2, 2, 1};
  return sizes[static_cast<std::size_t>(precision)];
}

} // namespace moesim
