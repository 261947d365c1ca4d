// What one rank does for one micro-batch in one layer (or in the embedding or the head), as a short list of segments
// that run one after the other: kernels, then a collective, then kernels again. Shapes follow Megatron Core: attention
// and MLP are column- then row-parallel over tp; with sequence parallelism (Korthikanti et al., arXiv 2205.05198) what
// lies between is split over tp along the sequence; experts are spread over ep and tokens travel to them by all-to-all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/graph/program.hpp"
#include "workloads/layout.hpp"
#include "workloads/model.hpp"

namespace moesim::workloads {

// Kernels (kind Compute) or one collective over the groups of a dimension.
struct Segment {
  std::string name; // "attention", "router", "dispatch", "experts", "combine", ...
  graph::Kind kind = graph::Kind::Compute;
  graph::Dimension over = graph::Dimension::Tp;
  graph::Work work;
};
using Segments = std::vector<Segment>;

// The shape of one micro-batch on one rank.
struct MicroBatchShape {
  ParallelSizes sizes;
  bool sequence_parallel = false;
  std::int64_t sequences = 1;  // micro_batch_size
  std::int64_t seq_length = 1; // of a whole sequence
  Precision precision = Precision::Bf16;

  // Tokens in a tensor-parallel region, the same on every tp rank; and outside of one.
  [[nodiscard]] std::int64_t tokens() const { return sequences * seq_length / sizes.cp; }
  [[nodiscard]] std::int64_t local_tokens() const { return sequence_parallel ? tokens() / sizes.tp : tokens(); }
  // Bytes of the activations of `count` tokens.
  [[nodiscard]] Bytes activation(std::int64_t count, std::int64_t width) const {
    return Bytes(static_cast<double>(count) * static_cast<double>(width) * bytes_per_element(precision));
  }
};

// Whether a layer keeps what its backward needs, or only its input, and then runs forward once more before its backward
// (Chen et al., arXiv 1604.06174; Megatron's recompute_granularity full, method uniform, one layer at a time).
enum class Recompute : std::uint8_t { None, Full };
[[nodiscard]] std::string_view name_of(Recompute recompute);

// What a layer does in the forward and in the backward pass of a micro-batch.
struct LayerPasses {
  Segments forward;
  Segments backward;
};
[[nodiscard]] LayerPasses layer_passes(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind,
                                       Recompute recompute);

// Its passes without recomputation.
[[nodiscard]] Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind);
[[nodiscard]] Segments layer_backward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind);

// Vocabulary-parallel embedding of the first stage.
[[nodiscard]] Segments embedding_forward(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments embedding_backward(const ModelSpec& model, const MicroBatchShape& shape);

// Final norm, vocabulary-parallel head and cross-entropy of the last stage.
[[nodiscard]] Segments head_forward(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments head_backward(const ModelSpec& model, const MicroBatchShape& shape);

// Activation memory that one layer, and the head, keep from forward to backward of a micro-batch, per rank: the inputs
// of every operation whose gradient needs them.
[[nodiscard]] Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind);
[[nodiscard]] Bytes head_activations(const ModelSpec& model, const MicroBatchShape& shape);

// What a stage sends to the next for one micro-batch (and receives back as gradient), per rank.
[[nodiscard]] Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape);

} // namespace moesim::workloads
