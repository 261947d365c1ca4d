#include "platforms/read_curves.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace moesim::platforms {
namespace {

constexpr config::NumberRange share{.min = 0.001, .max = 1};
// The smallest tile has 64 x 16 results.
constexpr config::IntegerRange tile{.min = 1024, .max = 65536};

constexpr std::array<std::string_view, 3> efficiency_fields{"max_efficiency", "backward", "memory_efficiency"};
constexpr std::array<std::string_view, 5> tile_fields{"operand_bandwidth", "result_bandwidth", "split_overhead",
                                                      "largest_tile", "whole_waves"};
constexpr std::array<std::string_view, 2> group_fields{"idle_group", "padded_rows"};

std::vector<std::string_view> fields_of(Products products) {
  std::vector<std::string_view> fields(efficiency_fields.begin(), efficiency_fields.end());
  fields.insert(fields.end(), tile_fields.begin(), tile_fields.end());
  if (products == Products::Grouped)
    fields.insert(fields.end(), group_fields.begin(), group_fields.end());
  return fields;
}

BytesPerSecond bandwidth_or_unlimited(config::MapReader& map, std::string_view key) {
  return map.node(key) == nullptr ? BytesPerSecond(0) : map.bandwidth(key);
}

// What is said about tiles without their size would be of no effect.
GemmCurve read_curve(config::MapReader& map, Products products) {
  GemmCurve curve;
  curve.max_efficiency = map.number("max_efficiency", share);
  curve.backward = map.number_or("backward", 1, share);
  if (map.node("memory_efficiency") != nullptr)
    curve.memory_efficiency = map.number("memory_efficiency", share);
  if (products == Products::Grouped) {
    curve.idle_group = map.seconds_or("idle_group", Seconds(0));
    curve.padded_rows = map.integer_or("padded_rows", 1, {.min = 1, .max = 4096});
  }
  curve.operand_bandwidth = bandwidth_or_unlimited(map, "operand_bandwidth");
  curve.result_bandwidth = bandwidth_or_unlimited(map, "result_bandwidth");
  curve.split_overhead = map.seconds_or("split_overhead", Seconds(0));
  curve.whole_waves = map.boolean_or("whole_waves", false);
  if (std::ranges::any_of(tile_fields, [&](std::string_view field) { return map.has(field); }))
    curve.largest_tile = map.integer("largest_tile", tile);
  return curve;
}

} // namespace

// Curves of single precisions do not stand beside fields of one for all: which is meant would depend on the reader.
GemmCurves read_gemm(config::MapReader map, Products products) {
  GemmCurves curves;
  std::string_view given; // the first precision that has a curve
  for (std::size_t at = 0; at < precision_count; ++at) {
    const std::string_view name = name_of(static_cast<Precision>(at));
    if (map.node(name) == nullptr)
      continue;
    if (given.empty())
      given = name;
    config::MapReader curve = map.map(name);
    curves[at] = read_curve(curve, products);
    curve.finish();
  }
  if (given.empty())
    curves.fill(read_curve(map, products));
  for (const std::string_view field : fields_of(products))
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
  curve.tile_time = map.seconds_or("tile_time", Seconds(0));
  curve.backward = map.number_or("backward", 1, share);
  curve.decode = map.number_or("decode", 1, share);
  curve.sinks = map.number_or("sinks", 1, share);
  map.finish();
  return curve;
}

} // namespace moesim::platforms
