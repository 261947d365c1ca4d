// Reads the curves of a GPU from YAML: `gemm` and `attention`.
#pragma once

#include <cstdint>

#include "platforms/gpu.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {

// Single products, or the groups of a grouped product, whose curves have fields of their own.
enum class Products : std::uint8_t { Single, Grouped };

// A map of curves by precision, or one curve for all of them. Problems are noted in `map`.
[[nodiscard]] GemmCurves read_gemm(config::MapReader map, Products products);
[[nodiscard]] AttentionCurve read_attention(config::MapReader map);

} // namespace moesim::platforms
