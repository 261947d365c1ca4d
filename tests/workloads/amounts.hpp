// Kernels of segments, the bytes they move, and how often the host launches one.
#pragma once

#include <cstdint>
#include <string_view>

#include "workloads/segments.hpp"

namespace moesim::workloads {

struct Amounts {
  std::int64_t kernels = 0;
  std::int64_t launches = 0;
  double bytes = 0;
};

// Of those with this name, or of all.
inline Amounts amounts_of(const Segments& segments, std::string_view name = "") {
  Amounts amounts;
  for (const Segment& segment : segments)
    if (segment.kind == graph::Kind::Compute && (name.empty() || segment.name == name))
      for (const Operator& op : segment.work.operators) {
        ++amounts.kernels;
        amounts.launches += op.launches;
        amounts.bytes += op.bytes.value();
      }
  return amounts;
}

} // namespace moesim::workloads
