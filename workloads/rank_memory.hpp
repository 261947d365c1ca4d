// What one rank of a stage holds: its share of the parameters, and the memory that they, their gradients, the optimizer
// and the activations in flight take.
#pragma once

#include <vector>

#include "simulator/base/units.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

// Parameters on one rank, by whom their gradients are summed with: dense ones over dp, experts over edp.
struct RankParameters {
  double dense = 0;
  double expert = 0;
  RankParameters& operator+=(const RankParameters& other) {
    dense += other.dense;
    expert += other.expert;
    return *this;
  }
};
[[nodiscard]] RankParameters layer_parameters(const Job& job, LayerKind kind);
// One layer's parameters that every tensor-parallel rank holds whole, each using them on its own tokens or heads:
// norms, router, latents' projections.
[[nodiscard]] double replicated_parameters(const ModelSpec& model, LayerKind kind);
// The table of the tokens, and the head's; when tied, one table on one stage, or one copy on the first and the last.
[[nodiscard]] double vocabulary_share(const Job& job);
[[nodiscard]] RankParameters embedding_share(const Job& job);
[[nodiscard]] RankParameters head_share(const Job& job); // final norm and head
[[nodiscard]] RankParameters stage_parameters(const Job& job, std::int64_t stage);

// Bytes per parameter with mixed precision (ZeRO, arXiv 1910.02054, section 3.1; Megatron accumulates gradients in
// FP32).
inline constexpr double gradient_bytes = 4;   // FP32
inline constexpr double optimizer_bytes = 12; // FP32 master weight and Adam's two moments

// Parameters whose optimizer state a rank keeps.
[[nodiscard]] double optimizer_share(const TrainingJob& job, const RankParameters& parameters);

// Static estimate of the fullest moment of a rank of a stage.
struct StageMemory {
  Bytes weights;
  Bytes gradients;
  Bytes optimizer;
  Bytes activations;
  [[nodiscard]] Bytes total() const { return weights + gradients + optimizer + activations; }
};
// Of each stage.
[[nodiscard]] std::vector<StageMemory> stage_memories(const TrainingJob& job);

} // namespace moesim::workloads
