// A transformer as Hugging Face's config.json describes it, reduced to what costs time or memory, and its parameter
// counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::workloads {

// The mixture-of-experts part of a layer.
struct MoeSpec {
  std::int64_t num_experts = 0;
  std::int64_t experts_per_token = 0; // top-k
  std::int64_t intermediate_size = 0; // of one expert
};

enum class Norm : std::uint8_t { RmsNorm, LayerNorm };

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
  bool gated = true;                  // the MLP has a gate matrix (SwiGLU): three matrices instead of two
  bool attention_bias = false;
  bool mlp_bias = false;
  bool tied_embeddings = false;
  Norm norm = Norm::RmsNorm;
  std::optional<MoeSpec> moe; // every layer's MLP is a mixture of experts when set

  [[nodiscard]] std::int64_t query_width() const { return num_heads * head_dim; }
  [[nodiscard]] std::int64_t kv_width() const { return num_kv_heads * head_dim; }
  // Columns of the first matrix of an MLP of the given width: gate and up together.
  [[nodiscard]] std::int64_t up_width(std::int64_t intermediate) const {
    return gated ? 2 * intermediate : intermediate;
  }
};

// Number of parameters of each part. All are exact counts, biases and norms included.
[[nodiscard]] double attention_parameters(const ModelSpec& model);                      // one layer's projections
[[nodiscard]] double mlp_parameters(const ModelSpec& model, std::int64_t intermediate); // one MLP or one expert
[[nodiscard]] double router_parameters(const ModelSpec& model);                         // one layer's
[[nodiscard]] double norm_parameters(const ModelSpec& model);                           // one norm's
[[nodiscard]] double embedding_parameters(const ModelSpec& model);                      // tokens and positions
[[nodiscard]] double head_parameters(const ModelSpec& model);                           // 0 when tied
[[nodiscard]] double total_parameters(const ModelSpec& model);
// Parameters that one token meets: all but the experts it is not routed to.
[[nodiscard]] double active_parameters(const ModelSpec& model);

// FLOPs of one training iteration over `tokens` tokens in sequences of `seq_length`, forward and backward, by
// Megatron-LM's formula (training.py, num_floating_point_operations; Narayanan et al., arXiv 2104.04473, appendix):
// matrix products only, attention counted in full although it is causal, the router and recomputation not counted.
[[nodiscard]] double model_flops(const ModelSpec& model, double tokens, std::int64_t seq_length);

// Reads the `model` section of a scenario: a catalogue name, a path to a config.json, or its fields inline. In a file,
// fields that mean nothing to moesim are appended to `ignored_fields` ("FILE:LINE:COLUMN: name"); inline they are
// problems.
[[nodiscard]] ModelSpec read_model(const config::Node& section, const std::string& path, Problems& problems,
                                   std::vector<std::string>& ignored_fields);

// The model as a YAML map that read_model() reads back to the same value, indented by `indent`.
[[nodiscard]] std::string to_yaml(const ModelSpec& model, int indent);

} // namespace moesim::workloads
