// What one rank of a stage holds: its share of the parameters.
#pragma once

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
// Modules for multi-token prediction: a projection, three norms and a layer each, and on a stage of their own a copy of
// the embedding; the head they share.
[[nodiscard]] RankParameters mtp_share(const Job& job);
[[nodiscard]] double joining_parameters(const Job& job); // a module's projection
// Whether the first and the last stage both hold the table of the tokens, and sum its gradient.
[[nodiscard]] bool holds_embedding_twice(const Job& job);
// Of one virtual stage, and of all chunks of a stage.
[[nodiscard]] RankParameters virtual_stage_parameters(const Job& job, std::int64_t virtual_stage);
[[nodiscard]] RankParameters stage_parameters(const Job& job, std::int64_t stage);
// Those that the optimizer steps on this stage. Of two copies of the model a stage owns its part of the one that goes
// up (chunk 0); the other part's owner is the stage where the copy that goes down has it.
[[nodiscard]] RankParameters owned_parameters(const Job& job, std::int64_t stage);

// Parameters whose optimizer state, gradients and weights a rank keeps.
[[nodiscard]] double optimizer_share(const TrainingJob& job, const RankParameters& parameters);
[[nodiscard]] double gradient_share(const TrainingJob& job, const RankParameters& parameters);
[[nodiscard]] double weight_share(const TrainingJob& job, const RankParameters& parameters);

} // namespace moesim::workloads
