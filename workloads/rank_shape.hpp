// The model and the micro-batch as one rank sees them, and the parts of a layer that segments.cpp puts together.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "workloads/operators.hpp"
#include "workloads/segment_list.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {

// Kernels that read and write whole activations, counted in passes over [local tokens, hidden].
inline constexpr double norm_forward_passes = 2;  // read x, write y
inline constexpr double norm_backward_passes = 3; // read x and dy, write dx
inline constexpr double norm_gradient_passes = 2; // read x and dy once more for the gradients of its parameters
inline constexpr double residual_passes = 3;      // read both, write the sum
inline constexpr double dropout_passes = 2;       // read, write; and a byte for each element, its mask
inline constexpr double fp32_bytes = 4;

// The model and the micro-batch together: sizes of one rank.
struct RankShape {
  const ModelSpec& model;
  const MicroBatchShape& shape;
  LayerKind kind;                 // of the layer at hand
  const RankLoad* load = nullptr; // of its experts; none: that of all of them is the same

  [[nodiscard]] std::int64_t tp() const { return shape.sizes.tp; }
  [[nodiscard]] std::int64_t tokens() const { return shape.tokens(); }
  [[nodiscard]] std::int64_t local() const { return shape.local_tokens(); }
  [[nodiscard]] std::int64_t heads() const { return model.num_heads / tp(); }
  // With fewer key-value heads than ranks, each rank keeps a copy of one (Megatron Core, attention.py). Latents are
  // expanded to keys and values of every head, unless the queries are absorbed.
  [[nodiscard]] std::int64_t kv_heads() const {
    return model.mla ? (absorbs() ? 1 : heads()) : std::max<std::int64_t>(1, model.num_kv_heads / tp());
  }
  // Those that queries meet: copies for each head, where keys and values are repeated (Hugging Face, repeat_kv()).
  [[nodiscard]] std::int64_t attended_kv_heads() const {
    return shape.repeat_kv && !shape.cache ? heads() : kv_heads();
  }
  // Widths of queries, of queries and keys, of these and the values, and of what attention gives.
  [[nodiscard]] std::int64_t query_width() const { return heads() * model.qk_head_dim(); }
  [[nodiscard]] std::int64_t qk_width() const { return query_width() + kv_heads() * model.qk_head_dim(); }
  [[nodiscard]] std::int64_t qkv_width() const { return qk_width() + kv_heads() * model.v_head_dim(); }
  [[nodiscard]] std::int64_t output_width() const { return heads() * model.v_head_dim(); }
  [[nodiscard]] std::int64_t mlp_width() const { return model.intermediate_size / tp(); }
  [[nodiscard]] std::int64_t shared_width() const { return model.moe->shared_intermediate_size / tp(); }
  [[nodiscard]] std::int64_t vocabulary() const { return (model.vocab_size + tp() - 1) / tp(); }
  // Ranks that the tokens of a micro-batch are spread over outside of tensor-parallel regions.
  [[nodiscard]] std::int64_t sequence_ranks() const { return shape.sequence_parallel ? tp() : 1; }
  // Experts of this rank, those of them that meet any token, the token copies routed away from it and to it, and those
  // that its experts work on: from each rank of its etp group, with whom it shares each expert's columns.
  [[nodiscard]] std::int64_t experts() const { return model.moe->num_experts / shape.sizes.ep; }
  [[nodiscard]] std::int64_t active_experts() const;
  [[nodiscard]] std::int64_t routed() const {
    return load != nullptr ? load->routed : local() * model.moe->experts_per_token;
  }
  [[nodiscard]] std::int64_t received() const { return load != nullptr ? load->received : routed(); }
  // Without sequence parallelism every tp rank has all tokens, and as the experts are spread over the same ranks none
  // travels: a rank's experts take the copies that are theirs, and one all-reduce adds up what all ranks made of them
  // (vLLM, fused_moe/layer.py; SGLang; TensorRT-LLM without attention data parallelism).
  [[nodiscard]] bool replicates_tokens() const { return tp() > 1 && !shape.sequence_parallel; }
  // A rank collects all tokens of the ranks among which experts are spread, and copies those that its own experts want.
  [[nodiscard]] bool gathers_tokens() const {
    return shape.dispatcher == Dispatcher::AllGather && !replicates_tokens() && shape.sizes.ep * shape.sizes.etp > 1;
  }
  [[nodiscard]] std::int64_t group_tokens(std::int64_t own) const { return own * shape.sizes.ep * shape.sizes.etp; }
  // A token goes to each rank once for all of its experts there, which copies it.
  [[nodiscard]] bool sends_each_token_once() const {
    return shape.dispatcher == Dispatcher::DeepEp && shape.sizes.ep * shape.sizes.etp > 1;
  }
  // Whether a token's copies for its experts are made by its owner, and sent.
  [[nodiscard]] bool sends_copies() const { return !gathers_tokens() && !sends_each_token_once(); }
  [[nodiscard]] std::int64_t expert_rows() const {
    if (load != nullptr)
      return load->all_rows();
    if (replicates_tokens())
      return (routed() + shape.sizes.ep - 1) / shape.sizes.ep;
    const std::int64_t copies = tokens() * model.moe->experts_per_token * shape.sizes.etp;
    return (copies + sequence_ranks() - 1) / sequence_ranks();
  }
  [[nodiscard]] std::int64_t expert_width() const { return model.moe->intermediate_size / shape.sizes.etp; }

  // A decode step: its queries read the cache. With latent attention they do so without expanding it: the up-projection
  // of keys is absorbed into the queries, that of values into the output (DeepSeek-V2, arXiv 2405.04434, section 2.1.2;
  // FlashMLA).
  [[nodiscard]] bool decodes() const { return shape.cache && shape.cache->held > 0; }
  [[nodiscard]] bool absorbs() const { return decodes() && model.mla; }

  // Of everything but the products of linear layers and experts: router, and, unless they multiply in 8 bits, too,
  // attention and head.
  [[nodiscard]] Precision precision() const { return precision_outside_products(shape.precision); }
  [[nodiscard]] bool recomputes(RecomputeModule module) const {
    return shape.recomputed.contains(module) ||
           (module == RecomputeModule::Layernorm && shape.recomputed.contains(RecomputeModule::Op));
  }

  [[nodiscard]] Bytes hidden(std::int64_t rows) const { return shape.activation(rows, model.hidden_size); }
  [[nodiscard]] Bytes wide(std::int64_t rows, std::int64_t width) const { return shape.activation(rows, width); }
  [[nodiscard]] Bytes fp32(std::int64_t rows, std::int64_t width) const {
    return Bytes(static_cast<double>(rows) * static_cast<double>(width) * fp32_bytes);
  }
  [[nodiscard]] Bytes mask(std::int64_t rows, std::int64_t width) const {
    return Bytes(static_cast<double>(rows) * static_cast<double>(width));
  }
  [[nodiscard]] bool is_transformer_engine() const {
    return shape.transformer_impl == TransformerImpl::TransformerEngine;
  }
  [[nodiscard]] bool is_eager() const { return shape.transformer_impl == TransformerImpl::Eager; }
  [[nodiscard]] Operator passes(double count, Pass pass) const { return memory_bound(hidden(local()) * count, pass); }
};

// How many of `experts` experts are expected to meet any of `tokens` tokens when routing is uniform: a token goes to k
// different ones of all E, hence misses a given one with probability 1 - k/E, and all tokens miss it with
// (1 - k/E)^tokens. A grouped product reads the weights of the others only, which is what makes decoding small batches
// cheap.
[[nodiscard]] double expected_active_experts(const MoeSpec& moe, std::int64_t experts, double tokens);

// The product of a linear layer or of experts, under a name or (empty) with what is around it. In FP8 its input is cast
// first, and so is the gradient of its output: read in BF16, written in FP8 twice, since the products of forward and
// backward want it row by row and column by column (Transformer Engine, cast_transpose); in inference once. `epilogue`:
// what the product, or the one that gives the gradient of its input, moves besides.
void linear_forward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape,
                    Bytes epilogue = {});
void cast_input(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape); // alone
// With a bias, whose gradient is the sum of the output's gradient over the rows.
enum class Bias : bool { No, Yes };
void linear_backward(SegmentList& list, const RankShape& at, std::string_view name, const GemmShape& shape,
                     Bias bias = Bias::No, Bytes epilogue = {});

// The same of products that read one input, [rows, k]: one product for all widths, or, without fused projections, one
// for each, whose gradients of the input are then added up. FP8 casts the input once in any case.
struct Projections {
  std::int64_t rows = 0;
  std::vector<std::int64_t> widths;
  std::int64_t k = 0;

  [[nodiscard]] GemmShape fused() const {
    return {rows, std::accumulate(widths.begin(), widths.end(), std::int64_t{0}), k};
  }
};
void projections_forward(SegmentList& list, const RankShape& at, std::string_view name, const Projections& of);
void projections_backward(SegmentList& list, const RankShape& at, std::string_view name, const Projections& of,
                          Bias bias);

// A tensor-parallel region begins by gathering the sequence and ends by scattering the sum; without sequence
// parallelism nothing needs gathering and the sum goes to all (Korthikanti et al., figures 4 and 5). The bytes are
// those of the whole tensor; by default, of the hidden states.
void enter_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes);
void leave_region(SegmentList& list, const RankShape& at, std::string_view name, Bytes bytes);
void enter_region(SegmentList& list, const RankShape& at, std::string_view name);
void leave_region(SegmentList& list, const RankShape& at, std::string_view name);
// The same of what a product of a layer reads next, which may be cast to FP8 before it is gathered (torchao,
// float8_tensor_parallel.py; that what is gathered is cast by each rank for its own tokens only is left out).
void enter_product(SegmentList& list, const RankShape& at, std::string_view name);

// The norm before attention or MLP, which keeps its input and, unless it is done again, its output; and the end of the
// backward of both, with the addition of the two gradients of the residual stream.
void norm_forward(SegmentList& list, const RankShape& at);
void norm_again(SegmentList& list, const RankShape& at);
void norm_backward(SegmentList& list, const RankShape& at);

// Ends attention or MLP: with post_norms its result is normalised, with dropout a part of it is dropped, then it is
// added to what it was computed from.
void add_residual(SegmentList& list, const RankShape& at);
void add_residual_backward(SegmentList& list, const RankShape& at);

// Norm, projections, attention and residual addition; a dense MLP with its norm and residual; the same with experts.
void attention_forward(SegmentList& list, const RankShape& at);
void attention_backward(SegmentList& list, const RankShape& at);
void dense_forward(SegmentList& list, const RankShape& at, Until until);
void dense_backward(SegmentList& list, const RankShape& at);
void moe_forward(SegmentList& list, const RankShape& at);
void moe_backward(SegmentList& list, const RankShape& at);

// Copies of tokens in another order; and their way back, where the copies of a token are added up. Without fusion these
// are PyTorch's scatter_add() and index_add(), which add each element with an atomic operation.
[[nodiscard]] Operator take_rows(const RankShape& at, std::int64_t read, std::int64_t written, Pass pass);
[[nodiscard]] Operator add_rows(const RankShape& at, std::int64_t read, std::int64_t written, Pass pass);

// From tokens in the order of their experts to what these made of them, or of their gradients, with the communication
// to the experts and back. Where the shape overlaps them, half of the tokens travel while the experts work on the
// others.
void experts_forward(SegmentList& list, const RankShape& at);
void experts_backward(SegmentList& list, const RankShape& at);

// Queries, keys and values to outputs, with the communication of context-parallel ranks; keeps and releases all four.
void core_attention_forward(SegmentList& list, const RankShape& at);
void core_attention_backward(SegmentList& list, const RankShape& at);

// Of inference: adds keys and values (or latents) to the cache; and the queries of a decode step, which read it.
void write_cache(SegmentList& list, const RankShape& at);
void cached_attention_forward(SegmentList& list, const RankShape& at);

// Drops hidden states, or their gradients, of `rows` tokens.
void drop_hidden(SegmentList& list, const RankShape& at, std::int64_t rows, Pass pass);

// The activation of an MLP, or of experts: of `up` columns it makes `width`, half as many where it has a gate.
struct ActivationShape {
  std::int64_t rows = 0;
  std::int64_t up = 0;
  std::int64_t width = 0;
};
void activate(SegmentList& list, const RankShape& at, const ActivationShape& shape, Pass pass);

// The two matrices of an MLP with the activation between them, column- then row-parallel over tp, for all tokens. An
// empty `sum`: what the ranks made of them is added up later, together with more.
void mlp_forward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width,
                 std::string_view sum);
void mlp_backward(SegmentList& list, const RankShape& at, std::string_view name, std::int64_t width);

// Adds each token's gradient to its row of the embedding, in FP32: reads the gradient, reads and writes the row.
[[nodiscard]] Operator embedding_gradient(const RankShape& at);

} // namespace moesim::workloads
