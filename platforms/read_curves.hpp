// Reads the curves of a GPU from YAML: `gemm` and `attention`.
#pragma once

#include "platforms/gpu.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::platforms {

// A map of curves by precision, or one curve for all of them. Problems are noted in `map`.
[[nodiscard]] GemmCurves read_gemm(config::MapReader map);
[[nodiscard]] AttentionCurve read_attention(config::MapReader map);

} // namespace moesim::platforms
