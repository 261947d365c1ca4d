#include "workloads/model.hpp"

#include <fmt/format.h>

#include "simulator/config/yaml_text.hpp"

namespace moesim::workloads {
namespace {

double count(std::int64_t value) {
  return static_cast<double>(value);
}

} // namespace

double attention_parameters(const ModelSpec& model) {
  const double hidden = count(model.hidden_size);
  const double inputs = count(model.query_width() + 2 * model.kv_width());
  const double weights = hidden * inputs + count(model.query_width()) * hidden;
  return weights + (model.attention_bias ? inputs + hidden : 0);
}

double mlp_parameters(const ModelSpec& model, std::int64_t intermediate) {
  const double hidden = count(model.hidden_size);
  const double up = count(model.up_width(intermediate));
  return hidden * up + count(intermediate) * hidden + (model.mlp_bias ? up + hidden : 0);
}

double router_parameters(const ModelSpec& model) {
  return model.moe ? count(model.hidden_size) * count(model.moe->num_experts) : 0;
}

double norm_parameters(const ModelSpec& model) {
  return count(model.hidden_size) * (model.norm == Norm::LayerNorm ? 2 : 1);
}

double embedding_parameters(const ModelSpec& model) {
  return count(model.vocab_size + model.learned_positions) * count(model.hidden_size);
}

double head_parameters(const ModelSpec& model) {
  return model.tied_embeddings ? 0 : count(model.vocab_size) * count(model.hidden_size);
}

namespace {

double parameters_with(const ModelSpec& model, double experts_counted) {
  double layer = attention_parameters(model) + 2 * norm_parameters(model);
  if (model.moe)
    layer += router_parameters(model) + experts_counted * mlp_parameters(model, model.moe->intermediate_size);
  else
    layer += mlp_parameters(model, model.intermediate_size);
  return embedding_parameters(model) + count(model.num_layers) * layer + norm_parameters(model) +
         head_parameters(model);
}

} // namespace

double total_parameters(const ModelSpec& model) {
  return parameters_with(model, model.moe ? count(model.moe->num_experts) : 0);
}

double active_parameters(const ModelSpec& model) {
  return parameters_with(model, model.moe ? count(model.moe->experts_per_token) : 0);
}

double model_flops(const ModelSpec& model, double tokens, std::int64_t seq_length) {
  const double hidden = count(model.hidden_size);
  const double query = count(model.query_width());
  const double projections = 2 * hidden * (query + 2 * count(model.kv_width())) + 2 * query * hidden;
  const double core_attention = 4 * count(seq_length) * query;
  const auto mlp = [&](std::int64_t width) { return 2 * hidden * count(model.up_width(width) + width); };
  const double mlps = model.moe ? count(model.moe->experts_per_token) * mlp(model.moe->intermediate_size)
                                : mlp(model.intermediate_size);
  const double forward =
      count(model.num_layers) * (projections + core_attention + mlps) + 2 * hidden * count(model.vocab_size);
  return 3 * forward * tokens;
}

std::string to_yaml(const ModelSpec& model, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  const auto line = [&](std::string_view key, const auto& value) {
    text += fmt::format("{}{}: {}\n", margin, key, value);
  };
  line("model_type", model.model_type);
  line("name", config::double_quoted(model.name));
  line("hidden_size", model.hidden_size);
  line("num_hidden_layers", model.num_layers);
  line("num_attention_heads", model.num_heads);
  line("num_key_value_heads", model.num_kv_heads);
  line("head_dim", model.head_dim);
  line("intermediate_size", model.intermediate_size);
  line("vocab_size", model.vocab_size);
  if (model.moe) {
    line("num_local_experts", model.moe->num_experts);
    line("num_experts_per_tok", model.moe->experts_per_token);
    line("moe_intermediate_size", model.moe->intermediate_size);
  }
  line("gated", model.gated);
  line("attention_bias", model.attention_bias);
  line("mlp_bias", model.mlp_bias);
  line("tie_word_embeddings", model.tied_embeddings);
  line("normalization", model.norm == Norm::LayerNorm ? "layernorm" : "rmsnorm");
  line("position_embedding_type", model.learned_positions > 0 ? "learned" : "rope");
  if (model.learned_positions > 0)
    line("max_position_embeddings", model.learned_positions);
  return text;
}

} // namespace moesim::workloads
