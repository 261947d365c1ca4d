#include "workloads/model.hpp"

namespace moesim::workloads {
namespace {

double count(std::int64_t value) {
  return static_cast<double>(value);
}

double latent_attention_parameters(const ModelSpec& model, const MlaSpec& mla) {
  const double hidden = count(model.hidden_size);
  const double query_input = count(mla.q_lora_rank > 0 ? mla.q_lora_rank : model.hidden_size);
  const double kv_width = count(model.num_heads * (mla.qk_nope_head_dim + mla.v_head_dim));
  return latent_parameters(model) + query_input * count(model.query_width()) + count(mla.kv_lora_rank) * kv_width +
         count(model.output_width()) * hidden;
}

double qk_norm_parameters(const ModelSpec& model) {
  switch (model.qk_norm) {
  case QkNorm::Head:
    return 2 * count(model.head_dim);
  case QkNorm::Width:
    return count(model.query_width() + model.kv_width());
  case QkNorm::None:
    break;
  }
  return 0;
}

} // namespace

std::int64_t ModelSpec::layers_with_experts() const {
  std::int64_t number = 0;
  for (std::int64_t layer = 0; layer < num_layers; ++layer)
    number += kind_of(layer).has_experts ? 1 : 0;
  return number;
}

double latent_parameters(const ModelSpec& model) {
  if (!model.mla)
    return 0;
  return count(model.hidden_size) * count(model.mla->latent_width()) +
         count(model.mla->q_lora_rank + model.mla->kv_lora_rank);
}

double attention_parameters(const ModelSpec& model) {
  const double hidden = count(model.hidden_size);
  const double inputs = count(model.query_width() + 2 * model.kv_width());
  const double weights = model.mla ? latent_attention_parameters(model, *model.mla)
                                   : hidden * inputs + count(model.query_width()) * hidden;
  const double biases = (model.attention_bias ? inputs : 0) + (model.output_bias ? hidden : 0);
  return weights + biases + qk_norm_parameters(model) + (model.attention_sinks ? count(model.num_heads) : 0);
}

double mlp_parameters(const ModelSpec& model, std::int64_t intermediate) {
  const double hidden = count(model.hidden_size);
  const double up = count(model.up_width(intermediate));
  return hidden * up + count(intermediate) * hidden + (model.mlp_bias ? up + hidden : 0);
}

double router_parameters(const ModelSpec& model) {
  return model.moe ? (count(model.hidden_size) + (model.moe->router_bias ? 1 : 0)) * count(model.moe->num_experts) : 0;
}

double shared_expert_parameters(const ModelSpec& model) {
  return model.moe && model.moe->shared_intermediate_size > 0
             ? mlp_parameters(model, model.moe->shared_intermediate_size)
             : 0;
}

double shared_gate_parameters(const ModelSpec& model) {
  return model.moe && model.moe->shared_gate ? count(model.hidden_size) : 0;
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
  const double every_layer = attention_parameters(model) + count(model.norms_per_layer()) * norm_parameters(model);
  const std::int64_t sparse_layers = model.layers_with_experts();
  double total = embedding_parameters(model) + count(model.num_layers) * every_layer + norm_parameters(model) +
                 head_parameters(model);
  total += count(model.num_layers - sparse_layers) * mlp_parameters(model, model.intermediate_size);
  if (model.moe)
    total += count(sparse_layers) *
             (router_parameters(model) + experts_counted * mlp_parameters(model, model.moe->intermediate_size) +
              shared_expert_parameters(model) + shared_gate_parameters(model));
  return total;
}

} // namespace

double total_parameters(const ModelSpec& model) {
  return parameters_with(model, model.moe ? count(model.moe->num_experts) : 0);
}

double active_parameters(const ModelSpec& model) {
  const double all = parameters_with(model, model.moe ? count(model.moe->experts_per_token) : 0);
  const bool counts_all = model.input_embedding_is_active || model.tied_embeddings; // a tied one is the output's, too
  return all - (counts_all ? 0 : embedding_parameters(model));
}

std::string_view embeddings_counted(const ModelSpec& model) {
  return model.input_embedding_is_active ? "embeddings counted"
                                         : "embeddings counted; active without the input embedding";
}

namespace {

// FLOPs of a token's forward pass: two for each weight of a matrix, and those of the scores and their sum.
double projection_flops(const ModelSpec& model) {
  const double hidden = count(model.hidden_size);
  if (model.mla) {
    const double norms = count(model.mla->q_lora_rank + model.mla->kv_lora_rank);
    return 2 * (latent_attention_parameters(model, *model.mla) - norms);
  }
  const double query = count(model.query_width());
  return 2 * hidden * (query + 2 * count(model.kv_width())) + 2 * query * hidden;
}

double layer_flops(const ModelSpec& model, LayerKind kind, std::int64_t seq_length) {
  const double hidden = count(model.hidden_size);
  const auto mlp = [&](std::int64_t width) { return 2 * hidden * count(model.up_width(width) + width); };
  const double core_attention =
      2 * count(model.keys_seen(kind, seq_length)) * count(model.query_width() + model.output_width());
  const double mlps = kind.has_experts ? count(model.moe->experts_per_token) * mlp(model.moe->intermediate_size) +
                                             mlp(model.moe->shared_intermediate_size)
                                       : mlp(model.intermediate_size);
  return projection_flops(model) + core_attention + mlps;
}

} // namespace

double model_flops(const ModelSpec& model, double tokens, std::int64_t seq_length) {
  const double hidden = count(model.hidden_size);
  const double head = 2 * hidden * count(model.vocab_size);
  const LayerKind last = model.kind_of(model.num_layers - 1);
  double forward = head;
  forward += count(model.mtp_layers) * (4 * hidden * hidden + layer_flops(model, last, seq_length) + head);
  for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
    forward += layer_flops(model, model.kind_of(layer), seq_length);
  return 3 * forward * tokens;
}

} // namespace moesim::workloads
