#include <algorithm>

#include <fmt/format.h>

#include "platforms/communicating.hpp"
#include "platforms/read_curves.hpp"
#include "platforms/read_gpu.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::platforms {
namespace {

std::string curve_yaml(const GemmCurve& curve) {
  std::string text = fmt::format("{{max_efficiency: {}", curve.max_efficiency);
  if (curve.backward != 1)
    text += fmt::format(", backward: {}", curve.backward);
  if (curve.memory_efficiency > 0)
    text += fmt::format(", memory_efficiency: {}", curve.memory_efficiency);
  if (curve.idle_group > Seconds(0))
    text += fmt::format(", idle_group: {}s", curve.idle_group.value());
  if (curve.padded_rows != 1)
    text += fmt::format(", padded_rows: {}", curve.padded_rows);
  if (curve.operand_bandwidth > BytesPerSecond(0))
    text += fmt::format(", operand_bandwidth: {}B/s", curve.operand_bandwidth.value());
  if (curve.result_bandwidth > BytesPerSecond(0))
    text += fmt::format(", result_bandwidth: {}B/s", curve.result_bandwidth.value());
  if (curve.largest_tile != 0)
    text += fmt::format(", split_overhead: {}s, largest_tile: {}, whole_waves: {}", curve.split_overhead.value(),
                        curve.largest_tile, curve.whole_waves);
  return text + "}";
}

// In the form in which read_gemm() got it: one curve that serves every precision, or those of single ones.
std::string gemm_yaml(const GemmCurves& curves, const std::string& margin, std::string_view name) {
  const bool is_one = std::all_of(curves.begin(), curves.end(),
                                  [&](const auto& curve) { return curve.has_value() && curve == curves.front(); });
  if (is_one)
    return fmt::format("{}{}: {}\n", margin, name, curve_yaml(*curves.front()));
  std::string text = fmt::format("{}{}:\n", margin, name);
  for (std::size_t at = 0; at < precision_count; ++at)
    if (curves[at])
      text += fmt::format("{}  {}: {}\n", margin, name_of(static_cast<Precision>(at)), curve_yaml(*curves[at]));
  return text;
}

std::string attention_yaml(std::string_view name, const AttentionCurve& curve) {
  return fmt::format(
      "{}: {{max_efficiency: {}, half_head_size: {}, tile_time: {}s, backward: {}, decode: {}, sinks: {}}}\n", name,
      curve.max_efficiency, curve.half_head_size, curve.tile_time.value(), curve.backward, curve.decode, curve.sinks);
}

std::string communication_yaml(const CommunicationKernels& kernels) {
  std::string text;
  for (const auto& [name, taken] : communicating)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, kernels.*taken);
  return fmt::format("communication: {{{}}}\n", text);
}

} // namespace

std::string to_yaml(const Gpu& gpu, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text = fmt::format("{}name: {}\n", margin, config::double_quoted(gpu.name));
  text += fmt::format("{}memory: {{capacity: {}B", margin, gpu.memory_capacity.value());
  if (gpu.reserved_memory > Bytes(0))
    text += fmt::format(", reserved: {}B", gpu.reserved_memory.value());
  text += fmt::format(", bandwidth: {}B/s, efficiency: {}}}\n", gpu.memory_bandwidth.value(), gpu.memory_efficiency);
  std::string peaks;
  for (std::size_t at = 0; at < precision_count; ++at)
    if (gpu.peak[at])
      peaks += fmt::format("{}{}: {}FLOP/s", peaks.empty() ? "" : ", ", name_of(static_cast<Precision>(at)),
                           gpu.peak[at]->value());
  text += fmt::format("{}peak: {{{}}}\n", margin, peaks);
  text += gemm_yaml(gpu.gemm, margin, "gemm");
  if (gpu.grouped_gemm != GemmCurves{})
    text += gemm_yaml(gpu.grouped_gemm, margin, "grouped_gemm");
  if (gpu.unpacking_efficiency != 0)
    text += fmt::format("{}unpacking_efficiency: {}\n", margin, gpu.unpacking_efficiency);
  text += margin + attention_yaml("attention", gpu.attention);
  if (gpu.attention_flash_2)
    text += margin + attention_yaml("attention_flash_2", *gpu.attention_flash_2);
  if (gpu.attention_flash_1)
    text += margin + attention_yaml("attention_flash_1", *gpu.attention_flash_1);
  if (gpu.attention_mxfp8)
    text += margin + attention_yaml("attention_mxfp8", *gpu.attention_mxfp8);
  if (gpu.clock != ClockCurve{})
    text += fmt::format("{}clock: {{sustained: {}, settles: {}s}}\n", margin, gpu.clock.sustained,
                        gpu.clock.settles.value());
  if (gpu.roofline_exponent != 0)
    text += fmt::format("{}roofline_exponent: {}\n", margin, gpu.roofline_exponent);
  if (gpu.multiprocessors != 0)
    text += fmt::format("{}multiprocessors: {}\n", margin, gpu.multiprocessors);
  text += fmt::format("{}launch_overhead: {}s\n", margin, gpu.launch_overhead.value());
  if (gpu.communication != CommunicationKernels{})
    text += margin + communication_yaml(gpu.communication);
  return text;
}

} // namespace moesim::platforms
