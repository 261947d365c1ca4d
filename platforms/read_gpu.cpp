#include "platforms/read_gpu.hpp"

#include <fmt/format.h>

#include "platforms/base_file.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::platforms {
namespace {

constexpr config::NumberRange share{.min = 0.001, .max = 1};
constexpr config::IntegerRange tile{.min = 1, .max = 4096};

GemmCurve read_gemm(config::MapReader map) {
  GemmCurve curve;
  curve.max_efficiency = map.number("max_efficiency", share);
  curve.half_k = map.number_or("half_k", 0, {.min = 0, .max = 1e6});
  if (map.has("tile_m") || map.has("tile_n") || map.has("multiprocessors")) {
    curve.tile_m = map.integer("tile_m", tile);
    curve.tile_n = map.integer("tile_n", tile);
    curve.multiprocessors = map.integer("multiprocessors", {.min = 1, .max = 100'000});
  }
  map.finish();
  return curve;
}

AttentionCurve read_attention(config::MapReader map) {
  AttentionCurve curve;
  curve.max_efficiency = map.number("max_efficiency", share);
  curve.half_head_size = map.number_or("half_head_size", 0, {.min = 0, .max = 1e6});
  curve.half_length = map.number_or("half_length", 0, {.min = 0, .max = 1e6});
  map.finish();
  return curve;
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
  memory.finish();

  config::MapReader peak = map.map("peak");
  for (std::size_t at = 0; at < precision_count; ++at) {
    const std::string_view name = name_of(static_cast<Precision>(at));
    if (peak.has(name))
      gpu.peak[at] = peak.flops_rate(name);
  }
  peak.finish();

  gpu.gemm = read_gemm(map.map("gemm"));
  gpu.attention = read_attention(map.map("attention"));
  gpu.launch_overhead = map.seconds_or("launch_overhead", Seconds(0));
  map.finish();
  return gpu;
}

std::string to_yaml(const Gpu& gpu, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text = fmt::format("{}name: {}\n", margin, config::double_quoted(gpu.name));
  text += fmt::format("{}memory: {{capacity: {}B, bandwidth: {}B/s, efficiency: {}}}\n", margin,
                      gpu.memory_capacity.value(), gpu.memory_bandwidth.value(), gpu.memory_efficiency);
  std::string peaks;
  for (std::size_t at = 0; at < precision_count; ++at)
    if (gpu.peak[at])
      peaks += fmt::format("{}{}: {}FLOP/s", peaks.empty() ? "" : ", ", name_of(static_cast<Precision>(at)),
                           gpu.peak[at]->value());
  text += fmt::format("{}peak: {{{}}}\n", margin, peaks);
  text += fmt::format("{}gemm: {{max_efficiency: {}, half_k: {}", margin, gpu.gemm.max_efficiency, gpu.gemm.half_k);
  if (gpu.gemm.tile_m != 0)
    text += fmt::format(", tile_m: {}, tile_n: {}, multiprocessors: {}", gpu.gemm.tile_m, gpu.gemm.tile_n,
                        gpu.gemm.multiprocessors);
  text += fmt::format("}}\n{}attention: {{max_efficiency: {}, half_head_size: {}, half_length: {}}}\n", margin,
                      gpu.attention.max_efficiency, gpu.attention.half_head_size, gpu.attention.half_length);
  return text + fmt::format("{}launch_overhead: {}s\n", margin, gpu.launch_overhead.value());
}

} // namespace moesim::platforms
