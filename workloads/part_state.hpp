// What the kernels of one part of the model (embedding, a layer, head) read and add to, and what of it is there only
// around the part's turns, because the rest of the time ranks keep shares of it (ZeRO stages 2 and 3).
#pragma once

#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {

struct PartParameters {
  RankParameters read;        // weights
  RankParameters cast_copies; // of them, those of which casts for products are kept beside
  // Gradients that its backward is the first of a micro-batch to add to, and those that are complete after it. They
  // differ for a table that both embedding and head of one stage read: head first, embedding last. Where the head is
  // last (Unit::head_is_last) each completes what it is said to begin.
  RankParameters begun;
  RankParameters completed;
};

[[nodiscard]] PartParameters embedding_part(const Job& job);
[[nodiscard]] PartParameters head_part(const TrainingJob& job); // with the modules for multi-token prediction
[[nodiscard]] PartParameters layer_part(const TrainingJob& job, LayerKind kind);

// One copy by rows for the forward products and one by columns for those of the backward (Transformer Engine).
[[nodiscard]] double cast_copy_bytes(Precision precision);

// Bytes by who else has them.
struct RankBytes {
  Bytes dense;
  Bytes expert;
  [[nodiscard]] Bytes total() const { return dense + expert; }
};

// Memory of the weights that are gathered for a part's turn, and of the gradients until they are reduce-scattered; none
// where ranks keep the whole, or a group has one rank.
[[nodiscard]] RankBytes gathered_weights(const TrainingJob& job, const PartParameters& part);
[[nodiscard]] RankBytes gradient_bucket(const TrainingJob& job, const RankParameters& parameters);

// Of the parameters, those of which other ranks have replicas.
[[nodiscard]] RankParameters with_replicas(const Job& job, const RankParameters& parameters);

} // namespace moesim::workloads
