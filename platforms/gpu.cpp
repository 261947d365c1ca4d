#include "platforms/gpu.hpp"

#include <algorithm>
#include <cmath>

#include "simulator/base/check.hpp"

namespace moesim::platforms {
namespace {

// Arithmetic and traffic of one kernel together.
Seconds joined(Seconds arithmetic, Seconds traffic, double exponent) {
  const auto [shorter, longer] = std::minmax(arithmetic, traffic);
  if (exponent == 0 || shorter == Seconds(0))
    return longer;
  return longer * std::pow(1 + std::pow(shorter / longer, exponent), 1 / exponent);
}

// Whether one kernel runs all experts with weights that it turns into 16 bits: the one kind that was measured.
bool unpacks_weights(const Operator& op) {
  const bool is_16_bit = op.precision == Precision::Bf16 || op.precision == Precision::Fp16;
  return op.groups_share_kernel && is_16_bit && op.weight_bytes > 0 &&
         op.weight_bytes < bytes_per_element(op.precision);
}

// Of the rows that each group is padded with: input and result, in BF16 where its factors are narrower.
Bytes padding_of(const Operator& op, std::int64_t multiple) {
  const auto padding = [&](std::int64_t rows) { return (multiple - rows % multiple) % multiple; };
  std::int64_t rows = op.groups * padding(op.m);
  if (!op.rows.are_equal()) {
    rows = 0;
    for (const std::int64_t of_group : op.rows.list())
      rows += padding(of_group);
  }
  const double input = static_cast<double>(op.k) * bytes_per_element(op.precision);
  const double result = static_cast<double>(op.n) * bytes_per_element(precision_outside_products(op.precision));
  return Bytes(static_cast<double>(rows) * (input + result));
}

// `clock`: share of the full one that matrix products run at. Attention is not slowed: measured in loops of up to two
// seconds it is as fast as in short ones (README.md).
Seconds time_at(const Operator& op, const Gpu& gpu, double clock) {
  const auto traffic = [&](double efficiency, Bytes besides = {}) {
    return (op.bytes + besides) / (gpu.memory_bandwidth * efficiency);
  };
  if (op.flops == Flops(0))
    return gpu.launch_overhead + traffic(gpu.memory_efficiency);
  const FlopsPerSecond peak = peak_of(gpu, op.precision);
  if (op.kind == OperatorKind::Attention)
    return gpu.launch_overhead +
           joined(attention_time(op, attention_curve_of(gpu, op.attention, op.precision), peak, gpu.multiprocessors),
                  traffic(gpu.memory_efficiency), gpu.roofline_exponent);
  GemmCurve curve = gemm_curve_of(gpu, op.precision, op.groups_share_kernel);
  if (unpacks_weights(op) && gpu.unpacking_efficiency > 0)
    curve.max_efficiency = std::min(curve.max_efficiency, gpu.unpacking_efficiency);
  const double efficiency = curve.memory_efficiency > 0 ? curve.memory_efficiency : gpu.memory_efficiency;
  return gpu.launch_overhead + curve.idle_group * static_cast<double>(op.idle_groups) +
         joined(gemm_time(op, curve, peak, gpu.multiprocessors) / clock,
                traffic(efficiency, padding_of(op, curve.padded_rows)), gpu.roofline_exponent);
}

bool has_any(const GemmCurves& curves) {
  return std::ranges::any_of(curves, [](const auto& curve) { return curve.has_value(); });
}

} // namespace

FlopsPerSecond peak_of(const Gpu& gpu, Precision precision) {
  const auto& peak = gpu.peak[static_cast<std::size_t>(precision)];
  MOESIM_CHECK(peak.has_value(), "the scenario was checked to use a precision that the GPU supports");
  return *peak;
}

GemmCurve gemm_curve_of(const Gpu& gpu, Precision precision, bool is_grouped) {
  const GemmCurves& curves = is_grouped && has_any(gpu.grouped_gemm) ? gpu.grouped_gemm : gpu.gemm;
  const Precision alike = is_cast_for_products(precision) ? Precision::Fp8 : Precision::Bf16;
  for (const Precision candidate : {precision, alike, Precision::Bf16})
    if (const auto& curve = curves[static_cast<std::size_t>(candidate)])
      return *curve;
  const auto any = std::ranges::find_if(curves, [](const auto& curve) { return curve.has_value(); });
  return any == curves.end() ? GemmCurve{} : **any;
}

const AttentionCurve& attention_curve_of(const Gpu& gpu, AttentionKernel kernel, Precision precision) {
  if (precision == Precision::Mxfp8 && gpu.attention_mxfp8)
    return *gpu.attention_mxfp8;
  if (kernel == AttentionKernel::Flash1 && gpu.attention_flash_1)
    return *gpu.attention_flash_1;
  return kernel != AttentionKernel::Latest && gpu.attention_flash_2 ? *gpu.attention_flash_2 : gpu.attention;
}

Seconds time_of(const Operator& op, const Gpu& gpu) {
  return time_at(op, gpu, gpu.clock.sustained);
}

Seconds time_in_loop(std::span<const Operator> ops, const Gpu& gpu, std::int64_t launches) {
  MOESIM_CHECK(launches > 0, "a loop launches something");
  Seconds busy;
  for (const Operator& op : ops)
    busy += (time_at(op, gpu, 1) - gpu.launch_overhead) * static_cast<double>(launches);
  const ClockCurve& clock = gpu.clock;
  const double full = busy == Seconds(0) ? 1 : clock.settles / (clock.settles + busy);
  Seconds time;
  for (const Operator& op : ops)
    time += time_at(op, gpu, clock.sustained + (1 - clock.sustained) * full);
  return time;
}

Seconds time_in_loop(const Operator& op, const Gpu& gpu, std::int64_t launches) {
  return time_in_loop(std::span(&op, 1), gpu, launches);
}

} // namespace moesim::platforms
