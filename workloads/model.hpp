// A transformer as Hugging Face's config.json describes it, reduced to what costs time or memory, and its parameter
// counts.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::workloads {

// The mixture-of-experts part of a layer.
struct MoeSpec {
  std::int64_t num_experts = 0;
  std::int64_t experts_per_token = 0;        // top-k
  std::int64_t intermediate_size = 0;        // of one routed expert
  std::int64_t shared_intermediate_size = 0; // of all shared experts together, which every token meets; 0 without
  bool shared_gate = false;                  // a weight per token scales what the shared experts give (Qwen)
  bool router_bias = false;
  std::int64_t groups = 1;           // that the experts form, in their order, equally many in each ...
  std::int64_t groups_per_token = 1; // ... and of how many of them the experts of a token can be (DeepSeek-V3)

  bool operator==(const MoeSpec&) const = default;
};

// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1): queries, keys and values are projected down
// to latents and up again, and queries and keys carry their position in channels of their own.
struct MlaSpec {
  std::int64_t q_lora_rank = 0; // 0: queries are projected from the hidden state at once
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0; // one key of this size serves all heads
  std::int64_t v_head_dim = 0;

  [[nodiscard]] std::int64_t qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
  // Columns of the down-projections.
  [[nodiscard]] std::int64_t latent_width() const { return q_lora_rank + kv_lora_rank + qk_rope_head_dim; }
  bool operator==(const MlaSpec&) const = default;
};

enum class Norm : std::uint8_t { RmsNorm, LayerNorm };

// How queries and keys are normalised before they meet: not, each head by itself with weights that all heads share, or
// over the whole width.
enum class QkNorm : std::uint8_t { None, Head, Width };

// Which keys a query sees of those before it: all, the last `attention_span`, or those of its own chunk of as many.
enum class Reach : std::uint8_t { Full, Sliding, Chunked };

// How YAML spells them: "none", "head", "width"; "full_attention", "sliding_attention", "chunked_attention".
[[nodiscard]] std::string_view name_of(QkNorm norm);
[[nodiscard]] std::string_view name_of(Reach reach);

// What tells the layers of a model apart.
struct LayerKind {
  bool has_experts = false;
  Reach reach = Reach::Full;
  auto operator<=>(const LayerKind&) const = default;
};

inline constexpr std::int64_t most_mtp_layers = 16;

struct ModelSpec {
  std::string name;
  std::string model_type;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t intermediate_size = 0; // of a dense MLP
  std::int64_t vocab_size = 0;
  std::int64_t learned_positions = 0; // rows of a learned position table; 0 with rotary positions
  std::int64_t attention_span = 0;    // of the layers whose reach is not full
  std::int64_t mtp_layers = 0;        // multi-token prediction modules, each with a layer like the last one
  bool gated = true;                  // the MLP has a gate matrix (SwiGLU): three matrices instead of two
  bool attention_bias = false;        // of queries, keys and values
  bool output_bias = false;           // of the attention's output projection
  bool attention_sinks = false;       // one learned logit a head (GPT-OSS)
  bool mlp_bias = false;
  bool scales_rotary = false;     // queries and keys are scaled as they are rotated (GPT-OSS: YaRN)
  bool clamps_activation = false; // GPT-OSS: both halves of a gated activation are kept within `swiglu_limit`
  bool post_norms = false;        // what attention and MLP give is normalised, too, before it is added
  bool tied_embeddings = false;
  bool input_embedding_is_active = true; // the publisher counts it among the active parameters
  QkNorm qk_norm = QkNorm::None;
  Norm norm = Norm::RmsNorm;
  std::optional<MlaSpec> mla;
  std::optional<MoeSpec> moe;
  std::vector<LayerKind> layer_kinds; // one per layer; empty: all reach fully, and have experts if there are any

  [[nodiscard]] LayerKind kind_of(std::int64_t layer) const {
    return layer_kinds.empty() ? LayerKind{.has_experts = moe.has_value()}
                               : layer_kinds[static_cast<std::size_t>(layer)];
  }
  [[nodiscard]] std::int64_t layers_with_experts() const;
  // Keys of the query that sees most of them.
  [[nodiscard]] std::int64_t keys_seen(LayerKind kind, std::int64_t seq_length) const {
    return kind.reach == Reach::Full ? seq_length : std::min(attention_span, seq_length);
  }
  // Sizes of a query or key and of a value, in one head.
  [[nodiscard]] std::int64_t qk_head_dim() const { return mla ? mla->qk_head_dim() : head_dim; }
  [[nodiscard]] std::int64_t v_head_dim() const { return mla ? mla->v_head_dim : head_dim; }
  [[nodiscard]] std::int64_t query_width() const { return num_heads * qk_head_dim(); }
  [[nodiscard]] std::int64_t output_width() const { return num_heads * v_head_dim(); } // before its projection
  [[nodiscard]] std::int64_t kv_width() const { return num_kv_heads * head_dim; }      // without MLA
  [[nodiscard]] std::int64_t norms_per_layer() const { return post_norms ? 4 : 2; }
  // Columns of the first matrix of an MLP of the given width: gate and up together.
  [[nodiscard]] std::int64_t up_width(std::int64_t intermediate) const {
    return gated ? 2 * intermediate : intermediate;
  }
  bool operator==(const ModelSpec&) const = default;
};

// Number of parameters of each part. All are exact counts, biases and norms included; layers for multi-token
// prediction are left out, as published totals do.
[[nodiscard]] double attention_parameters(const ModelSpec& model); // one layer's projections
[[nodiscard]] double latent_parameters(const ModelSpec& model);    // of these, MLA's down-projections and their norms
[[nodiscard]] double mlp_parameters(const ModelSpec& model, std::int64_t intermediate); // one MLP or one expert
[[nodiscard]] double router_parameters(const ModelSpec& model);                         // one layer's
[[nodiscard]] double shared_expert_parameters(const ModelSpec& model);                  // one layer's, without gate
[[nodiscard]] double shared_gate_parameters(const ModelSpec& model);                    // one layer's
[[nodiscard]] double norm_parameters(const ModelSpec& model);                           // one norm's
[[nodiscard]] double embedding_parameters(const ModelSpec& model);                      // tokens and positions
[[nodiscard]] double head_parameters(const ModelSpec& model);                           // 0 when tied
[[nodiscard]] double total_parameters(const ModelSpec& model);
// Parameters that one token meets: all but the experts it is not routed to; without the input embedding, of which it
// meets one row, when the publisher counts so.
[[nodiscard]] double active_parameters(const ModelSpec& model);
// Says in words which embeddings these two count.
[[nodiscard]] std::string_view embeddings_counted(const ModelSpec& model);

// FLOPs of one training iteration over `tokens` tokens in sequences of `seq_length`, forward and backward, by
// Megatron-LM's formula (training.py, num_floating_point_operations; Narayanan et al., arXiv 2104.04473, appendix):
// matrix products only, attention counted in full within its window although it is causal (Megatron-LM has come to
// halve it, first for latent attention), modules for multi-token prediction counted, the router and recomputation not.
[[nodiscard]] double model_flops(const ModelSpec& model, double tokens, std::int64_t seq_length);

// Reads the `model` section of a scenario: a catalogue name, a path to a config.json, or its fields inline. In a file,
// fields that mean nothing to moesim are appended to `ignored_fields` ("FILE:LINE:COLUMN: name"); inline they are
// problems.
[[nodiscard]] ModelSpec read_model(const config::Node& section, const std::string& path, Problems& problems,
                                   std::vector<std::string>& ignored_fields);

// The model as a YAML map that read_model() reads back to the same value, indented by `indent`.
[[nodiscard]] std::string to_yaml(const ModelSpec& model, int indent);

} // namespace moesim::workloads
