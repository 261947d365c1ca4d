// A GPU type: what it can do at best, and how much of that a kernel of a given shape gets. All figures come from
// gpus/*.yaml, each with its source; nothing here is fitted to a whole run.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::platforms {

inline constexpr std::size_t precision_count = 4;

// Share of peak FLOP/s that a matrix product of m x n x k reaches: max_efficiency, times k / (k + half_k) for filling
// and draining the pipeline of the K loop, times how well tiles of tile_m x tile_n fill whole waves over the
// multiprocessors (NVIDIA, "Matrix Multiplication Background User's Guide": tile and wave quantisation).
struct GemmCurve {
  double max_efficiency = 1;
  double half_k = 0;
  std::int64_t tile_m = 0; // 0: no tile or wave quantisation is known for this GPU
  std::int64_t tile_n = 0;
  std::int64_t multiprocessors = 0;

  bool operator==(const GemmCurve&) const = default;
};

// Share of peak FLOP/s of fused attention with head size d over n keys:
// max_efficiency x d / (d + half_head_size) x n / (n + half_length). One curve serves forward and backward, as
// published figures are of both together: forward comes out a little slow, backward a little fast.
struct AttentionCurve {
  double max_efficiency = 1;
  double half_head_size = 0;
  double half_length = 0;
};

// Multiprocessors that the kernels of a communication hold on every GPU that takes part, for as long as it runs, by the
// dimension of the parallel layout that communicates. A GPU of which nothing is known here slows no compute.
struct CommunicationKernels {
  std::int64_t multiprocessors = 1; // that the GPU has: the whole of which the others are a part
  std::int64_t tp = 0;
  std::int64_t cp = 0;
  std::int64_t ep = 0;
  std::int64_t dp = 0;
  std::int64_t pp = 0; // of one send or one receive

  bool operator==(const CommunicationKernels&) const = default;
};

struct Gpu {
  std::string name;
  Bytes memory_capacity; // the whole, as nvidia-smi prints it
  Bytes reserved_memory; // of it: driver, CUDA context, libraries and NCCL's buffers, before the first tensor
  BytesPerSecond memory_bandwidth;
  double memory_efficiency = 1; // of the bandwidth, for streaming kernels
  // Dense FLOP/s by Precision; absent: not supported. FP32 is that of the CUDA cores, which is what a framework uses
  // for FP32 tensors unless it is told to round them to TF32.
  std::array<std::optional<FlopsPerSecond>, precision_count> peak;
  std::array<std::optional<GemmCurve>, precision_count> gemm; // by Precision; see gemm_curve_of() for those absent
  AttentionCurve attention;
  // Share of the clock of short measurements, which the curves are fitted to, that the GPU holds at its power limit.
  double sustained_clock = 1;
  Seconds launch_overhead; // from one kernel's end to the next one's start
  CommunicationKernels communication;

  // What a job's tensors can have; nothing when the reserved memory is all there is.
  [[nodiscard]] Bytes usable_memory() const { return std::max(Bytes(0), memory_capacity - reserved_memory); }
};

// Peak at a precision. Requires the GPU to support it.
[[nodiscard]] FlopsPerSecond peak_of(const Gpu& gpu, Precision precision);

// The curve of a precision; without one of its own that of BF16, else the first there is, else the whole peak.
[[nodiscard]] GemmCurve gemm_curve_of(const Gpu& gpu, Precision precision);

// Time of one kernel: launch overhead plus the larger of FLOPs over achievable FLOP/s and bytes over achievable bytes/s
// (roofline; Williams et al., CACM 52(4), 2009).
[[nodiscard]] Seconds time_of(const Operator& op, const Gpu& gpu);

} // namespace moesim::platforms
