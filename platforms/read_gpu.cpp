#include "platforms/read_gpu.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "platforms/base_file.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::platforms {
namespace {

constexpr config::NumberRange share{.min = 0.001, .max = 1};
constexpr config::IntegerRange tile{.min = 1, .max = 4096};
constexpr config::IntegerRange multiprocessors{.min = 1, .max = 100'000};

// The dimensions that communicate, as the file names them.
constexpr std::array<std::pair<std::string_view, std::int64_t CommunicationKernels::*>, 5> communicating{{
    {"tp", &CommunicationKernels::tp},
    {"cp", &CommunicationKernels::cp},
    {"ep", &CommunicationKernels::ep},
    {"dp", &CommunicationKernels::dp},
    {"pp", &CommunicationKernels::pp},
}};

using GemmCurves = std::array<std::optional<GemmCurve>, precision_count>;

constexpr std::array<std::string_view, 5> curve_fields{"max_efficiency", "half_k", "tile_m", "tile_n",
                                                       "multiprocessors"};

GemmCurve read_curve(config::MapReader& map) {
  GemmCurve curve;
  curve.max_efficiency = map.number("max_efficiency", share);
  curve.half_k = map.number_or("half_k", 0, {.min = 0, .max = 1e6});
  if (map.has("tile_m") || map.has("tile_n") || map.has("multiprocessors")) {
    curve.tile_m = map.integer("tile_m", tile);
    curve.tile_n = map.integer("tile_n", tile);
    curve.multiprocessors = map.integer("multiprocessors", multiprocessors);
  }
  return curve;
}

// A map of curves by precision, or one curve for all of them. Not both: which is meant would depend on the reader.
GemmCurves read_gemm(config::MapReader map) {
  GemmCurves curves;
  std::string_view given; // the first precision that has a curve
  for (std::size_t at = 0; at < precision_count; ++at) {
    const std::string_view name = name_of(static_cast<Precision>(at));
    if (map.node(name) == nullptr)
      continue;
    if (given.empty())
      given = name;
    config::MapReader curve = map.map(name);
    curves[at] = read_curve(curve);
    curve.finish();
  }
  if (given.empty())
    curves.fill(read_curve(map));
  for (const std::string_view field : curve_fields)
    if (map.node(field) != nullptr && !given.empty())
      map.problem(field, fmt::format("stands beside curves of single precisions; write it into the one it is meant "
                                     "for, as in {}: {{{}: ...}}",
                                     given, field));
  map.finish();
  return curves;
}

AttentionCurve read_attention(config::MapReader map) {
  AttentionCurve curve;
  curve.max_efficiency = map.number("max_efficiency", share);
  curve.half_head_size = map.number_or("half_head_size", 0, {.min = 0, .max = 1e6});
  curve.half_length = map.number_or("half_length", 0, {.min = 0, .max = 1e6});
  map.finish();
  return curve;
}

CommunicationKernels read_communication(config::MapReader map) {
  CommunicationKernels kernels;
  kernels.multiprocessors = map.integer("multiprocessors", multiprocessors);
  const std::int64_t most = map.has("multiprocessors") ? kernels.multiprocessors : multiprocessors.max;
  for (const auto& [name, taken] : communicating)
    kernels.*taken = map.integer_or(name, 0, {.min = 0, .max = most});
  map.finish();
  return kernels;
}

std::string curve_yaml(const GemmCurve& curve) {
  std::string text = fmt::format("{{max_efficiency: {}, half_k: {}", curve.max_efficiency, curve.half_k);
  if (curve.tile_m != 0)
    text +=
        fmt::format(", tile_m: {}, tile_n: {}, multiprocessors: {}", curve.tile_m, curve.tile_n, curve.multiprocessors);
  return text + "}";
}

// In the form in which read_gemm() got it: one curve that serves every precision, or those of single ones.
std::string gemm_yaml(const GemmCurves& curves, const std::string& margin) {
  const bool is_one = std::all_of(curves.begin(), curves.end(),
                                  [&](const auto& curve) { return curve.has_value() && curve == curves.front(); });
  if (is_one)
    return fmt::format("{}gemm: {}\n", margin, curve_yaml(*curves.front()));
  std::string text = margin + "gemm:\n";
  for (std::size_t at = 0; at < precision_count; ++at)
    if (curves[at])
      text += fmt::format("{}  {}: {}\n", margin, name_of(static_cast<Precision>(at)), curve_yaml(*curves[at]));
  return text;
}

std::string communication_yaml(const CommunicationKernels& kernels) {
  std::string text = fmt::format("communication: {{multiprocessors: {}", kernels.multiprocessors);
  for (const auto& [name, taken] : communicating)
    text += fmt::format(", {}: {}", name, kernels.*taken);
  return text + "}\n";
}

} // namespace

Gpu read_gpu(const config::Node& section, const std::string& path, Problems& problems) {
  const BaseFile file = with_base(config::CatalogueKind::Gpu, section, path, problems);
  Gpu gpu;
  if (!file.found)
    return gpu;
  config::MapReader map(file.node, path, problems);
  gpu.name = map.text_or("name", file.name);
  map.text_or("description", "");
  map.integer_or("version", 1, {.min = 1, .max = 1});

  config::MapReader memory = map.map("memory");
  gpu.memory_capacity = memory.bytes("capacity");
  gpu.memory_bandwidth = memory.bandwidth("bandwidth");
  gpu.memory_efficiency = memory.number_or("efficiency", 1, share);
  if (memory.node("reserved") != nullptr)
    gpu.reserved_memory = memory.bytes("reserved");
  memory.finish();

  config::MapReader peak = map.map("peak");
  for (std::size_t at = 0; at < precision_count; ++at) {
    const std::string_view name = name_of(static_cast<Precision>(at));
    if (peak.node(name) != nullptr)
      gpu.peak[at] = peak.flops_rate(name);
  }
  peak.finish();

  gpu.gemm = read_gemm(map.map("gemm"));
  gpu.attention = read_attention(map.map("attention"));
  gpu.sustained_clock = map.number_or("sustained_clock", 1, share);
  gpu.launch_overhead = map.seconds_or("launch_overhead", Seconds(0));
  if (map.node("communication") != nullptr)
    gpu.communication = read_communication(map.map("communication"));
  map.finish();
  return gpu;
}

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
  text += gemm_yaml(gpu.gemm, margin);
  text += fmt::format("{}attention: {{max_efficiency: {}, half_head_size: {}, half_length: {}}}\n", margin,
                      gpu.attention.max_efficiency, gpu.attention.half_head_size, gpu.attention.half_length);
  if (gpu.sustained_clock != 1)
    text += fmt::format("{}sustained_clock: {}\n", margin, gpu.sustained_clock);
  text += fmt::format("{}launch_overhead: {}s\n", margin, gpu.launch_overhead.value());
  if (gpu.communication != CommunicationKernels{})
    text += margin + communication_yaml(gpu.communication);
  return text;
}

} // namespace moesim::platforms
