// A ModelSpec as the fields of a config.json that read_model() reads back.
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/yaml_text.hpp"
#include "workloads/model.hpp"

namespace moesim::workloads {
namespace {

// Lines "key: value", indented alike.
class FieldLines {
public:
  explicit FieldLines(int indent) : margin_(static_cast<std::size_t>(indent), ' ') {}

  template <class Value>
  void add(std::string_view key, const Value& value) {
    text_ += fmt::format("{}{}: {}\n", margin_, key, value);
  }
  // Leaves out a size of 0, which says that the model has no such part.
  void add_size(std::string_view key, std::int64_t size) {
    if (size > 0)
      add(key, size);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

private:
  std::string margin_;
  std::string text_;
};

void add_moe(FieldLines& lines, const MoeSpec& moe) {
  lines.add("num_local_experts", moe.num_experts);
  lines.add("num_experts_per_tok", moe.experts_per_token);
  lines.add("moe_intermediate_size", moe.intermediate_size);
  lines.add("shared_expert_intermediate_size", moe.shared_intermediate_size);
  lines.add("shared_expert_gate", moe.shared_gate);
  lines.add("router_bias", moe.router_bias);
  lines.add("n_group", moe.groups);
  lines.add("topk_group", moe.groups_per_token);
}

void add_mla(FieldLines& lines, const MlaSpec& mla) {
  lines.add_size("q_lora_rank", mla.q_lora_rank);
  lines.add("kv_lora_rank", mla.kv_lora_rank);
  lines.add("qk_nope_head_dim", mla.qk_nope_head_dim);
  lines.add("qk_rope_head_dim", mla.qk_rope_head_dim);
  lines.add("v_head_dim", mla.v_head_dim);
}

void add_layers(FieldLines& lines, const ModelSpec& model) {
  std::vector<std::int64_t> dense;
  std::vector<std::string_view> reaches;
  bool is_chunked = false;
  for (std::int64_t layer = 0; layer < model.num_layers; ++layer) {
    const LayerKind kind = model.kind_of(layer);
    if (model.moe && !kind.has_experts)
      dense.push_back(layer);
    reaches.push_back(name_of(kind.reach));
    is_chunked = is_chunked || kind.reach == Reach::Chunked;
  }
  if (!dense.empty())
    lines.add("mlp_only_layers", fmt::format("[{}]", fmt::join(dense, ", ")));
  if (model.attention_span == 0)
    return;
  lines.add(is_chunked ? "attention_chunk_size" : "sliding_window", model.attention_span);
  lines.add("layer_types", fmt::format("[{}]", fmt::join(reaches, ", ")));
}

void add_traits(FieldLines& lines, const ModelSpec& model) {
  lines.add("gated", model.gated);
  lines.add("attention_bias", model.attention_bias);
  lines.add("attention_output_bias", model.output_bias);
  lines.add("attention_sinks", model.attention_sinks);
  lines.add("mlp_bias", model.mlp_bias);
  lines.add("post_norms", model.post_norms);
  lines.add("qk_norm", name_of(model.qk_norm));
  lines.add("tie_word_embeddings", model.tied_embeddings);
  lines.add("normalization", model.norm == Norm::LayerNorm ? "layernorm" : "rmsnorm");
  lines.add("position_embedding_type", model.learned_positions > 0 ? "learned" : "rope");
  lines.add_size("max_position_embeddings", model.learned_positions);
}

} // namespace

std::string_view name_of(Reach reach) {
  constexpr std::array<std::string_view, 3> names{"full_attention", "sliding_attention", "chunked_attention"};
  return names[static_cast<std::size_t>(reach)];
}

std::string_view name_of(QkNorm norm) {
  constexpr std::array<std::string_view, 3> names{"none", "head", "width"};
  return names[static_cast<std::size_t>(norm)];
}

std::string to_yaml(const ModelSpec& model, int indent) {
  FieldLines lines(indent);
  lines.add("model_type", model.model_type);
  lines.add("name", config::double_quoted(model.name));
  lines.add("hidden_size", model.hidden_size);
  lines.add("num_hidden_layers", model.num_layers);
  lines.add("num_attention_heads", model.num_heads);
  lines.add("num_key_value_heads", model.num_kv_heads);
  if (!model.mla)
    lines.add("head_dim", model.head_dim);
  lines.add("intermediate_size", model.intermediate_size);
  lines.add("vocab_size", model.vocab_size);
  if (model.mla)
    add_mla(lines, *model.mla);
  if (model.moe)
    add_moe(lines, *model.moe);
  add_layers(lines, model);
  lines.add_size("num_nextn_predict_layers", model.mtp_layers);
  add_traits(lines, model);
  return lines.take();
}

} // namespace moesim::workloads
