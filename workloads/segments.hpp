// What one rank does for one micro-batch in one layer (or in the embedding or the head), as a short list of segments
// that run one after the other: kernels, then a collective, then kernels again. Shapes follow Megatron Core: attention
// and MLP are column- then row-parallel over tp; with sequence parallelism (Korthikanti et al., arXiv 2205.05198) what
// lies between is split over tp along the sequence; experts are spread over ep and tokens travel to them by all-to-all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/graph/program.hpp"
#include "workloads/kv_cache.hpp"
#include "workloads/layer_options.hpp"
#include "workloads/layout.hpp"
#include "workloads/model.hpp"
#include "workloads/rank_load.hpp"

namespace moesim::workloads {

// Kernels (kind Compute) or one collective over the groups of a dimension.
struct Segment {
  std::string name; // "attention", "router", "dispatch", "experts", "combine", ...
  graph::Kind kind = graph::Kind::Compute;
  graph::Dimension over = graph::Dimension::Tp;
  graph::Work work;
  bool beside_next = false; // of a collective: the next segment runs beside it, the one after that waits for both
};
using Segments = std::vector<Segment>;

// The shape of one micro-batch on one rank, and how its layers are computed.
struct MicroBatchShape {
  ParallelSizes sizes;
  bool sequence_parallel = false;
  std::int64_t sequences = 1;  // micro_batch_size
  std::int64_t seq_length = 1; // of a whole sequence
  Precision precision = Precision::Bf16;
  Precision gradient_precision = Precision::Fp32; // of the sum over micro-batches
  AttentionBackend attention_backend = AttentionBackend::Flash;
  TransformerImpl transformer_impl = TransformerImpl::TransformerEngine;
  bool attention_dropout = false;         // parts of the activations are dropped at random: of the scores,
  bool hidden_dropout = false;            // and of what attention, MLP and embedding give
  bool batch_first = false;               // tokens of a sequence lie together, whichever rank they come from
  bool repeat_kv = false;                 // each query head has keys and values of its own where it attends
  bool fused_projections = true;          // products that read the same input are one
  bool fp8_dot_product_attention = false; // attention multiplies in `precision`, which has 8 bits
  bool fp8_output_proj = false;           // and so does the head
  ScaleKernels scale_kernels = ScaleKernels::None;
  bool cross_entropy_loss_fusion = true;
  bool fp32_logits = true;        // the loss reads logits in FP32
  std::int64_t train_metrics = 0; // cross-entropies besides it
  Fp8Scaling fp8_scaling = Fp8Scaling::Delayed;
  bool gathers_fp8 = false; // over tp, of what products read
  bool moe_router_fusion = true;
  bool moe_permute_fusion = true;
  ExpertActivation moe_activation = ExpertActivation::Kernel;
  CudaGraphScope cuda_graphs{};
  CpCommType cp_comm_type = CpCommType::P2p;
  Dispatcher dispatcher = Dispatcher::AllToAll;
  bool fp8_dispatch = false;        // of what DeepEp sends to the experts
  bool overlaps_tp = false;         // communication over tp runs beside products (tensor_overlap.hpp)
  bool overlaps_tp_backward = true; // in the backward, too
  bool experts_are_even = true;     // every rank's have as much to do (group_load.hpp, is_even())
  Seconds reaction{};               // from counted tokens to the first theft, where ranks steal them
  bool overlaps_experts = false;    // all-to-alls of one half of the tokens run beside the experts of the other
  RecomputeModules recomputed{};    // their results are not kept for the backward pass
  std::optional<KvCache> cache{};   // of inference, which keeps nothing for a backward pass
  std::optional<Precision> weight_precision{}; // of weights that products read in another one than they multiply in
  std::optional<Precision> expert_precision{}; // of the experts' products and weights, where they have their own
  std::optional<Precision> expert_weight_precision{};

  // Tokens in a tensor-parallel region, the same on every tp rank; and outside of one, where inference may have fewer
  // than ranks.
  [[nodiscard]] std::int64_t tokens() const { return sequences * seq_length / sizes.cp; }
  [[nodiscard]] std::int64_t local_tokens() const {
    return sequence_parallel ? (tokens() + sizes.tp - 1) / sizes.tp : tokens();
  }
  // Bytes of the activations of `count` tokens.
  [[nodiscard]] Bytes activation(std::int64_t count, std::int64_t width) const {
    return elements(count, width, precision_outside_products(precision));
  }
  // Of what a matrix product keeps of its input.
  [[nodiscard]] Bytes product_input(std::int64_t count, std::int64_t width) const {
    return elements(count, width, precision);
  }

  static Bytes elements(std::int64_t count, std::int64_t width, Precision precision) {
    return Bytes(static_cast<double>(count) * static_cast<double>(width) * bytes_per_element(precision));
  }

  bool operator==(const MicroBatchShape&) const = default;
};

// How far a forward pass goes that is done again in the backward: to its end, or until it has what the backward needs,
// which the last product of a dense layer, its sum over tp and the residual addition do not give.
enum class Until : std::uint8_t { End, Needed };

// What one layer does in the forward and in the backward pass of a micro-batch. Forward takes the memory of what the
// backward needs, and backward gives it back; modules that are recomputed take it at the start of their backward.
// Without a load all experts get as much. Segments differ in amounts only, whatever the load.
[[nodiscard]] Segments layer_forward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind,
                                     const RankLoad* load = nullptr, Until until = Until::End);
[[nodiscard]] Segments layer_backward(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind,
                                      const RankLoad* load = nullptr);

// Weights that change their ranks between micro-batches, `bytes` for each parameter: an all-to-all over ep.
[[nodiscard]] Segment expert_move(const ModelSpec& model, const MicroBatchShape& shape, const RankLoad& load,
                                  double bytes);

// A forward pass whose results are not kept for the backward pass, as of a layer that is recomputed as a whole (Chen et
// al., arXiv 1604.06174): they are workspace. Its first layer keeps its input.
[[nodiscard]] Segments without_keeping(Segments forward);
[[nodiscard]] Segments keeping_input(Segments forward, Bytes input);
// The same forward pass, done again at the start of the backward; its first layer's input was kept.
[[nodiscard]] Segments input_kept_before(Segments forward, Bytes input);

// Activation memory that the segments take and do not give back.
[[nodiscard]] Bytes kept_by(const Segments& segments);

// Vocabulary-parallel embedding of the first stage.
[[nodiscard]] Segments embedding_forward(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments embedding_backward(const ModelSpec& model, const MicroBatchShape& shape);

// Final norm, vocabulary-parallel head and cross-entropy of the last stage.
[[nodiscard]] Segments head_forward(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments head_backward(const ModelSpec& model, const MicroBatchShape& shape);

// What comes before the layer and the head of a multi-token prediction module: the last stage's.
[[nodiscard]] Segments mtp_input_forward(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments mtp_input_backward(const ModelSpec& model, const MicroBatchShape& shape);

// In place of them, in inference: the logits of each sequence's last token, gathered over tp, and the next token, drawn
// from them in FP32.
[[nodiscard]] Segments next_token(const ModelSpec& model, const MicroBatchShape& shape);

// Activation memory that one layer, and the head, keep from forward to backward of a micro-batch, per rank: the inputs
// of every operation whose gradient needs them (Korthikanti et al., section 4).
[[nodiscard]] Bytes layer_activations(const ModelSpec& model, const MicroBatchShape& shape, LayerKind kind);
[[nodiscard]] Bytes head_activations(const ModelSpec& model, const MicroBatchShape& shape);

// What a stage needs of the one before for one micro-batch (and gives back as gradient), per rank; and the gather that
// makes it of the parts that the tp ranks have received.
[[nodiscard]] Bytes boundary_bytes(const ModelSpec& model, const MicroBatchShape& shape);
[[nodiscard]] Segments gather_received(const ModelSpec& model, const MicroBatchShape& shape);

} // namespace moesim::workloads
