// A GPU type: what it can do at best, and how much of that a kernel of a given shape gets. All figures come from
// gpus/*.yaml, each with its source; nothing here is fitted to a whole run.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "platforms/attention_curve.hpp"
#include "platforms/gemm_curve.hpp"
#include "simulator/base/operator.hpp"
#include "simulator/base/units.hpp"

namespace moesim::platforms {

inline constexpr std::size_t precision_count = all_precisions.size();

// Multiprocessors that the kernels of a communication hold on every GPU that takes part, for as long as it runs, by the
// dimension of the parallel layout that communicates. A GPU of which nothing is known here slows no compute.
struct CommunicationKernels {
  std::int64_t tp = 0;
  std::int64_t cp = 0;
  std::int64_t ep = 0;
  std::int64_t dp = 0;
  std::int64_t pp = 0; // of one send or one receive

  bool operator==(const CommunicationKernels&) const = default;
};

// Matrix products draw more power than the GPU may take for long: it lowers its clock. Over T seconds of them in a row
// its mean is sustained + (1 - sustained) x settles / (settles + T) of the full clock.
struct ClockCurve {
  double sustained = 1;
  Seconds settles; // after which it is half-way on average

  bool operator==(const ClockCurve&) const = default;
};

using GemmCurves = std::array<std::optional<GemmCurve>, precision_count>; // by Precision

struct Gpu {
  std::string name;
  Bytes memory_capacity; // the whole, as nvidia-smi prints it
  Bytes reserved_memory; // of it: driver, CUDA context, libraries and NCCL's buffers, before the first tensor
  BytesPerSecond memory_bandwidth;
  double memory_efficiency = 1; // of the bandwidth, for streaming kernels
  // How far arithmetic and traffic of one kernel hide behind each other: (a^p + t^p)^(1/p). 0: the longer hides the
  // other altogether, as it does for p without bounds (Williams et al., CACM 52(4), 2009).
  double roofline_exponent = 0;
  std::int64_t multiprocessors = 0; // 0: not known, and no tile or wave is counted
  // Dense FLOP/s by Precision; absent: not supported. FP32 is that of the CUDA cores, which is what a framework uses
  // for FP32 tensors unless it is told to round them to TF32.
  std::array<std::optional<FlopsPerSecond>, precision_count> peak;
  GemmCurves gemm;                                 // see gemm_curve_of() for those absent
  GemmCurves grouped_gemm;                         // of kernels that run all groups of a product; none: as `gemm`
  double unpacking_efficiency = 0;                 // of products that turn weights into 16 bits; 0: as others
  AttentionCurve attention;                        // of the kernel that suits the GPU best
  std::optional<AttentionCurve> attention_flash_2; // of older ones, where they are slower
  std::optional<AttentionCurve> attention_flash_1;
  std::optional<AttentionCurve> attention_mxfp8; // in MXFP8, as shares of that peak; absent: as `attention`
  ClockCurve clock;
  Seconds launch_overhead; // from one kernel's end to the next one's start
  CommunicationKernels communication;

  // What a job's tensors can have; nothing when the reserved memory is all there is.
  [[nodiscard]] Bytes usable_memory() const { return std::max(Bytes(0), memory_capacity - reserved_memory); }
};

// Peak at a precision. Requires the GPU to support it.
[[nodiscard]] FlopsPerSecond peak_of(const Gpu& gpu, Precision precision);

// The curve of a precision; without one of its own that of FP8 (if it is one that products are cast to), else that of
// BF16, else the first there is, else the whole peak. Kernels for several groups have their own, if there are any.
[[nodiscard]] GemmCurve gemm_curve_of(const Gpu& gpu, Precision precision, bool is_grouped = false);

// That of a precision, or of a generation of kernels: without one of its own, that of the next generation.
[[nodiscard]] const AttentionCurve& attention_curve_of(const Gpu& gpu, AttentionKernel kernel,
                                                       Precision precision = Precision::Bf16);

// Time of one kernel in a long run, matrix products at the sustained clock: launch overhead plus arithmetic (FLOPs over
// achievable FLOP/s) and traffic (bytes over achievable bytes/s), as far as they do not hide behind each other.
[[nodiscard]] Seconds time_of(const Operator& op, const Gpu& gpu);

// Time of one kernel, or of several one after the other, as a benchmark finds it that launches nothing else, `launches`
// times in a row from a cool start: the fewer and shorter they are, the nearer to its full clock the GPU runs. At least
// one launch.
[[nodiscard]] Seconds time_in_loop(std::span<const Operator> ops, const Gpu& gpu, std::int64_t launches);
[[nodiscard]] Seconds time_in_loop(const Operator& op, const Gpu& gpu, std::int64_t launches);

} // namespace moesim::platforms
