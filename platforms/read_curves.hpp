// Reads the curves of a GPU from YAML: `gemm` and `attention`.
#pragma once

#include <array>
#include <optional>

#include "platforms/gpu.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {

using GemmCurves = std::array<std::optional<GemmCurve>, precision_count>; // by Precision

// A map of curves by precision, or one curve for all of them. Problems are noted in `map`.
[[nodiscard]] GemmCurves read_gemm(config::MapReader map);
[[nodiscard]] AttentionCurve read_attention(config::MapReader map);

} // namespace moesim::platforms
