#include "platforms/read_gpu.hpp"

#include <algorithm>

#include "platforms/base_file.hpp"
#include "platforms/communicating.hpp"
#include "platforms/read_curves.hpp"

namespace moesim::platforms {
namespace {

constexpr config::NumberRange share{.min = 0.001, .max = 1};
constexpr config::IntegerRange multiprocessors{.min = 1, .max = 100'000};

// `all`: how many the GPU has.
CommunicationKernels read_communication(config::MapReader map, std::int64_t all) {
  CommunicationKernels kernels;
  for (const auto& [name, taken] : communicating)
    kernels.*taken = map.integer_or(name, 0, {.min = 0, .max = all});
  map.finish();
  return kernels;
}

ClockCurve read_clock(config::MapReader map) {
  ClockCurve clock;
  clock.sustained = map.number("sustained", share);
  clock.settles = map.seconds_or("settles", Seconds(0));
  map.finish();
  return clock;
}

// Whether something of the GPU is told in parts of its multiprocessors.
bool counts_multiprocessors(const Gpu& gpu, const config::MapReader& map) {
  const auto has_tiles = [](const auto& curve) { return curve && curve->largest_tile != 0; };
  return map.has("communication") || gpu.attention.tile_time > Seconds(0) || std::ranges::any_of(gpu.gemm, has_tiles) ||
         std::ranges::any_of(gpu.grouped_gemm, has_tiles);
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

  gpu.gemm = read_gemm(map.map("gemm"), Products::Single);
  if (map.has("grouped_gemm"))
    gpu.grouped_gemm = read_gemm(map.map("grouped_gemm"), Products::Grouped);
  gpu.unpacking_efficiency = map.number_or("unpacking_efficiency", 0, share);
  gpu.attention = read_attention(map.map("attention"));
  if (map.has("attention_flash_2"))
    gpu.attention_flash_2 = read_attention(map.map("attention_flash_2"));
  if (map.has("attention_flash_1"))
    gpu.attention_flash_1 = read_attention(map.map("attention_flash_1"));
  if (map.has("attention_mxfp8"))
    gpu.attention_mxfp8 = read_attention(map.map("attention_mxfp8"));
  if (map.node("clock") != nullptr)
    gpu.clock = read_clock(map.map("clock"));
  gpu.roofline_exponent = map.number_or("roofline_exponent", 0, {.min = 1, .max = 100});
  if (map.has("multiprocessors") || counts_multiprocessors(gpu, map))
    gpu.multiprocessors = map.integer("multiprocessors", multiprocessors);
  gpu.launch_overhead = map.seconds_or("launch_overhead", Seconds(0));
  if (map.node("communication") != nullptr)
    gpu.communication = read_communication(map.map("communication"),
                                           map.has("multiprocessors") ? gpu.multiprocessors : multiprocessors.max);
  map.finish();
  return gpu;
}

} // namespace moesim::platforms
