#include "platforms/gpu.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/base/check.hpp"

namespace moesim::platforms {
namespace {

// The backward of fused attention runs five products where the formula counts four: it recomputes the scores instead of
// reading them (FlashAttention-2, arXiv 2307.08691, section 3.1 and the FLOP convention of its figures).
constexpr double attention_backward_recompute = 5.0 / 4.0;

// A dimension is cut into tiles of `tile`, but a product smaller than one tile uses a kernel with a smaller tile: none
// of the common libraries pads below 16.
double tiles_along(std::int64_t size, std::int64_t tile) {
  const std::int64_t smallest = 16;
  if (size >= tile)
    return std::ceil(static_cast<double>(size) / static_cast<double>(tile));
  return std::ceil(static_cast<double>(size) / static_cast<double>(smallest)) * static_cast<double>(smallest) /
         static_cast<double>(tile);
}

// Useful work over the work of whole tiles in whole waves.
double quantisation(const Operator& op, const GemmCurve& curve) {
  if (curve.tile_m == 0)
    return 1;
  const double tiles =
      static_cast<double>(op.groups) * tiles_along(op.m, curve.tile_m) * tiles_along(op.n, curve.tile_n);
  const auto processors = static_cast<double>(curve.multiprocessors);
  const double waves = std::max(1.0, std::ceil(tiles / processors));
  const double useful = static_cast<double>(op.groups) * static_cast<double>(op.m) * static_cast<double>(op.n) /
                        static_cast<double>(curve.tile_m * curve.tile_n);
  return useful / (waves * processors);
}

Seconds arithmetic_time(const Operator& op, const Gpu& gpu) {
  const FlopsPerSecond peak = peak_of(gpu, op.precision) * gpu.sustained_clock;
  const auto k = static_cast<double>(op.k);
  if (op.kind == OperatorKind::Attention) {
    const auto keys = static_cast<double>(op.n);
    const double share = gpu.attention.max_efficiency * k / (k + gpu.attention.half_head_size) * keys /
                         (keys + gpu.attention.half_length);
    return op.flops * (op.pass == Pass::Backward ? attention_backward_recompute : 1) / (peak * share);
  }
  const GemmCurve curve = gemm_curve_of(gpu, op.precision);
  const double share = curve.max_efficiency * k / (k + curve.half_k) * quantisation(op, curve);
  return op.flops / (peak * share);
}

} // namespace

FlopsPerSecond peak_of(const Gpu& gpu, Precision precision) {
  const auto& peak = gpu.peak[static_cast<std::size_t>(precision)];
  MOESIM_CHECK(peak.has_value(), "the scenario was checked to use a precision that the GPU supports");
  return *peak;
}

GemmCurve gemm_curve_of(const Gpu& gpu, Precision precision) {
  for (const Precision candidate : {precision, Precision::Bf16})
    if (const auto& curve = gpu.gemm[static_cast<std::size_t>(candidate)])
      return *curve;
  const auto any = std::find_if(gpu.gemm.begin(), gpu.gemm.end(), [](const auto& curve) { return curve.has_value(); });
  return any == gpu.gemm.end() ? GemmCurve{} : **any;
}

Seconds time_of(const Operator& op, const Gpu& gpu) {
  const Seconds traffic = op.bytes / (gpu.memory_bandwidth * gpu.memory_efficiency);
  if (op.flops == Flops(0))
    return gpu.launch_overhead + traffic;
  return gpu.launch_overhead + std::max(traffic, arithmetic_time(op, gpu));
}

} // namespace moesim::platforms
