#include "simulator/base/operator.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace moesim {

std::string_view name_of(Precision precision) {
  constexpr std::array<std::string_view, all_precisions.size()> names{"fp32",      "bf16",  "fp16", "fp8",
                                                                      "fp8-block", "mxfp8", "nvfp4"};
  return names[static_cast<std::size_t>(precision)];
}

double bytes_per_element(Precision precision) {
  constexpr std::array<double, all_precisions.size()> sizes{4, 2, 2, 1, 1 + 4.0 / 128, 1 + 1.0 / 32, 0.5 + 1.0 / 16};
  return sizes[static_cast<std::size_t>(precision)];
}

GroupRows::GroupRows(std::vector<std::int64_t> rows) {
  std::erase(rows, 0);
  std::ranges::sort(rows, std::greater<>());
  if (!rows.empty() && rows.front() != rows.back())
    rows_ = std::make_shared<const std::vector<std::int64_t>>(std::move(rows));
}

} // namespace moesim
