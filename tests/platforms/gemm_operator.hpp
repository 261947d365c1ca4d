// Products for tests of curves.
#pragma once

#include "simulator/base/operator.hpp"

namespace moesim::platforms {

inline Operator gemm(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t groups = 1) {
  Operator op;
  op.kind = OperatorKind::Gemm;
  op.groups = groups;
  op.m = m;
  op.n = n;
  op.k = k;
  op.flops = Flops(2.0 * static_cast<double>(groups * m * n) * static_cast<double>(k));
  return op;
}

} // namespace moesim::platforms
