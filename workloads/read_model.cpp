// Hugging Face's config.json, or the same fields inline, into a ModelSpec.
#include "workloads/model.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "simulator/config/catalogue.hpp"
#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::workloads {
namespace {

constexpr config::IntegerRange width{.min = 1, .max = 10'000'000};
constexpr config::IntegerRange layers{.min = 1, .max = 10'000};
constexpr std::int64_t most_experts = 100'000;           // of a layer
constexpr std::int64_t most_experts_in_all = 10'000'000; // of all layers

// What a model_type implies when its config.json does not say. (Hugging Face keeps these in the model's code.)
struct Family {
  std::string_view model_type;
  bool gated;
  bool bias;
  Norm norm;
  bool learned_positions;
};

constexpr std::array<Family, 5> families{{
    {"gpt", false, true, Norm::LayerNorm, true},    // Megatron-LM's GPT; also with experts
    {"gpt3", false, true, Norm::LayerNorm, true},   // Brown et al., arXiv 2005.14165
    {"llama", true, false, Norm::RmsNorm, false},   // Touvron et al., arXiv 2302.13971
    {"mistral", true, false, Norm::RmsNorm, false}, // Jiang et al., arXiv 2310.06825
    {"mixtral", true, false, Norm::RmsNorm, false}, // Jiang et al., arXiv 2401.04088
}};

// Fields of config.json that change neither time nor memory.
constexpr std::array<std::string_view, 23> irrelevant{
    "architectures",
    "attention_dropout",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "hidden_act",
    "initializer_range",
    "max_position_embeddings",
    "output_router_logits",
    "pretraining_tp",
    "rms_norm_eps",
    "layer_norm_eps",
    "rope_scaling",
    "rope_theta",
    "rope_parameters",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "torch_dtype",
    "dtype",
    "transformers_version",
    "use_cache",
    "hidden_dropout",
    "description",
};

const Family* find_family(std::string_view model_type) {
  const auto found = std::ranges::find(families, model_type, &Family::model_type);
  return found == families.end() ? nullptr : &*found;
}

std::optional<MoeSpec> read_moe(config::MapReader& map, const ModelSpec& dense, const Problems& problems) {
  const std::size_t problems_before = problems.size();
  map.alias("num_experts", "num_local_experts");
  if (!map.has("num_local_experts"))
    return std::nullopt;
  MoeSpec moe;
  moe.num_experts = map.integer("num_local_experts", {.min = 1, .max = most_experts});
  moe.experts_per_token = map.integer("num_experts_per_tok", {.min = 1, .max = most_experts});
  if (problems.size() == problems_before && moe.experts_per_token > moe.num_experts)
    map.problem("num_experts_per_tok", fmt::format("{} experts per token, but there are only {}; use at most as many",
                                                   moe.experts_per_token, moe.num_experts));
  if (moe.num_experts * dense.num_layers > most_experts_in_all)
    map.problem("num_local_experts", fmt::format("{} experts in each of {} layers; expected at most {} in all",
                                                 moe.num_experts, dense.num_layers, most_experts_in_all));
  moe.intermediate_size = map.integer_or("moe_intermediate_size", dense.intermediate_size, width);
  return moe;
}

void read_shape(config::MapReader& map, ModelSpec& model, const Problems& problems) {
  const std::size_t problems_before = problems.size();
  model.hidden_size = map.integer("hidden_size", width);
  model.num_layers = map.integer("num_hidden_layers", layers);
  model.num_heads = map.integer("num_attention_heads", {.min = 1, .max = 100'000});
  model.num_kv_heads = map.integer_or("num_key_value_heads", model.num_heads, {.min = 1, .max = 100'000});
  // Sizes are compared only when each is sound by itself: one mistake, one message.
  const bool are_sound = problems.size() == problems_before;
  if (are_sound && model.num_heads % model.num_kv_heads != 0)
    map.problem("num_key_value_heads", fmt::format("{} does not divide num_attention_heads {}; each key-value head "
                                                   "serves equally many query heads",
                                                   model.num_kv_heads, model.num_heads));
  if (are_sound && !map.has("head_dim") && model.hidden_size % model.num_heads != 0)
    map.problem("num_attention_heads",
                fmt::format("{} does not divide hidden_size {}; give head_dim", model.num_heads, model.hidden_size));
  model.head_dim = map.integer_or("head_dim", std::max<std::int64_t>(1, model.hidden_size / model.num_heads), width);
  model.intermediate_size = map.integer("intermediate_size", width);
  model.vocab_size = map.integer("vocab_size", {.min = 1, .max = 100'000'000});
}

void read_traits(config::MapReader& map, const Family& family, ModelSpec& model) {
  model.gated = map.boolean_or("gated", family.gated);
  model.attention_bias = map.boolean_or("attention_bias", family.bias);
  model.mlp_bias = map.boolean_or("mlp_bias", family.bias);
  model.tied_embeddings = map.boolean_or("tie_word_embeddings", false);
  constexpr std::array<std::string_view, 2> norms{"rmsnorm", "layernorm"};
  const bool layer_norm = family.norm == Norm::LayerNorm;
  model.norm = map.choice_or("normalization", layer_norm ? "layernorm" : "rmsnorm", norms) == "layernorm"
                   ? Norm::LayerNorm
                   : Norm::RmsNorm;
  constexpr std::array<std::string_view, 2> positions{"learned", "rope"};
  const std::string position =
      map.choice_or("position_embedding_type", family.learned_positions ? "learned" : "rope", positions);
  if (position == "learned")
    model.learned_positions = map.integer("max_position_embeddings", width);
}

void report_unread(config::MapReader& map, bool is_inline, std::vector<std::string>& ignored_fields) {
  for (const std::string_view name : irrelevant)
    map.node(name);
  if (is_inline)
    return map.finish();
  for (const std::string& key : map.unread_keys()) {
    const bool is_null = map.node(key)->kind == config::Node::Kind::Null;
    if (!is_null && !key.starts_with('_')) // such keys are notes that people add
      ignored_fields.push_back(to_string({map.position_of(key), key, "unknown field of a model, ignored"}));
  }
}

} // namespace

ModelSpec read_model(const config::Node& section, const std::string& path, Problems& problems,
                     std::vector<std::string>& ignored_fields) {
  const bool is_inline = section.kind == config::Node::Kind::Map;
  config::Node file;
  ModelSpec model;
  try {
    if (!is_inline && section.kind != config::Node::Kind::Scalar)
      throw InputError(section.position, path,
                       config::mismatch(section, "a catalogue name, a path to a config.json or its fields"));
    if (!is_inline) {
      const auto place =
          config::resolve(config::CatalogueKind::Model, section.scalar, section.position.file, section.position, path);
      file = config::load(place);
      model.name = place.stem().string();
    }
  } catch (const InputError& error) {
    problems.add(error);
    return model;
  }
  const config::Node& node = is_inline ? section : file;
  config::MapReader map(node, is_inline ? path : "", problems);
  model.name = map.text_or("name", is_inline ? "inline" : model.name);
  model.model_type = map.text("model_type");
  const Family* family = find_family(model.model_type);
  if (family == nullptr) {
    if (map.has("model_type")) {
      std::string known;
      for (const Family& each : families)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", each.model_type);
      map.problem("model_type", fmt::format("unknown model type '{}'; known types are {}", model.model_type, known));
    }
    family = &families.back(); // asks for no fields of its own
  }
  read_shape(map, model, problems);
  model.moe = read_moe(map, model, problems);
  read_traits(map, *family, model);
  report_unread(map, is_inline, ignored_fields);
  return model;
}

} // namespace moesim::workloads
