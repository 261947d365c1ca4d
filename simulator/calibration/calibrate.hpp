// Fits the curves of a GPU to what somebody measured on it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "platforms/gpu.hpp"
#include "simulator/calibration/measurements.hpp"

namespace moesim::calibration {

// How well one curve fits the kernels that it was fitted to.
struct CurveFit {
  std::string curve; // as the file of a GPU names it, such as gemm.bf16
  std::size_t kernels = 0;
  double mean_absolute_error = 0; // of the time, predicted / measured - 1
  double within_20 = 0;           // share of the kernels
};

struct Calibration {
  platforms::Gpu gpu;
  std::vector<CurveFit> fits;
};

// `base` with the curves of the kernels that were measured: copies give launch_overhead and memory.efficiency, products
// gemm of their precision, attention its curve and its backward. Peaks, memory, multiprocessors, clock and roofline
// exponent stay those of `base`, as do curves of which nothing was measured. Throws InputError (in `file`) when a kind
// of kernel has fewer rows than its curve needs, or `base` lacks its peak or its multiprocessors.
[[nodiscard]] Calibration calibrate(const std::vector<Measurement>& measurements, const platforms::Gpu& base,
                                    const std::string& file);

} // namespace moesim::calibration
