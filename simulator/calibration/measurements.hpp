// Times of kernels that somebody measured on one GPU, as a table (scripts/measure_gpu.py writes one).
//
// CSV with the columns kernel, precision, groups, m, n, k, launches, microseconds, in any order; a row for each kernel:
//   gemm                 `groups` products of [m, k] by [k, n], in `precision`
//   attention            fused causal attention: `groups` = sequences x heads, m queries, n keys, head size k
//   attention-backward   its gradient
//   copy                 m x n elements read and as many written; groups and k are 1
// `launches` is how often the kernel ran in a row, `microseconds` the mean time of one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::calibration {

struct Measurement {
  Operator op;
  std::int64_t launches = 1; // in a row
  Seconds time;              // of one, mean
};

// Reads such a table; `file` is named in messages. Throws InputError with all problems: columns that are missing or
// unknown, cells that are no number or out of range, kernels and precisions that nobody knows, no rows.
[[nodiscard]] std::vector<Measurement> read_measurements(const std::string& text, const std::string& file);

} // namespace moesim::calibration
