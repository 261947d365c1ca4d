// Hugging Face's config.json, or the same fields inline, into a ModelSpec.
#include "workloads/model.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "simulator/config/catalogue.hpp"
#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"
#include "workloads/model_family.hpp"
#include "workloads/optional_fields.hpp"
#include "workloads/read_layer_kinds.hpp"

namespace moesim::workloads {
namespace {

constexpr config::IntegerRange width{.min = 1, .max = 10'000'000};
constexpr config::IntegerRange layers{.min = 1, .max = 10'000};
constexpr std::int64_t most_experts = 100'000;           // of a layer
constexpr std::int64_t most_experts_in_all = 10'000'000; // of all layers

// Fields of config.json that change neither time nor memory.
constexpr std::array<std::string_view, 36> irrelevant{
    "architectures",        "attention_dropout",
    "aux_loss_alpha",       "bos_token_id",
    "eos_token_id",         "ep_size",
    "experts_per_token",    "initial_context_length",
    "pad_token_id",         "hidden_act",
    "initializer_range",    "max_position_embeddings",
    "model_max_length",     "norm_topk_prob",
    "output_router_logits", "partial_rotary_factor",
    "pretraining_tp",       "rms_norm_eps",
    "layer_norm_eps",       "rope_interleave",
    "rope_scaling",         "rope_theta",
    "rope_parameters",      "routed_scaling_factor",
    "router_aux_loss_coef", "router_jitter_noise",
    "scoring_func",         "seq_aux",
    "swiglu_limit",         "topk_method",
    "torch_dtype",          "dtype",
    "transformers_version", "use_cache",
    "hidden_dropout",       "description",
};

// One field under three names.
constexpr std::array<std::string_view, 3> expert_counts{"num_local_experts", "num_experts", "n_routed_experts"};

// Where a model is read from, and where its reader says what it did not understand.
struct Source {
  config::MapReader& map;
  const Family& family;
  const Problems& problems;
  std::vector<std::string>& ignored_fields;
};

void note(const Source& from, std::string_view key, std::string text) {
  from.ignored_fields.push_back(to_string({from.map.position_of(key), std::string(key), std::move(text)}));
}

std::int64_t read_experts_per_token(const Source& from) {
  constexpr std::string_view key = "num_experts_per_tok";
  const std::int64_t implied = from.family.experts_per_token;
  if (implied == 0 || is_given(from.map, key))
    return from.map.integer(key, {.min = 1, .max = most_experts});
  note(from, key, fmt::format("not given; {} is used, the default of {}", implied, from.family.model_type));
  return implied;
}

// Shared experts are given by their number, each as wide as a routed one, or by their width in all.
void read_shared_experts(config::MapReader& map, const Family& family, MoeSpec& moe) {
  const std::int64_t number =
      integer_if_given(map, "n_shared_experts", family.shared_experts, {.min = 0, .max = most_experts});
  moe.shared_intermediate_size = integer_if_given(map, "shared_expert_intermediate_size",
                                                  number * moe.intermediate_size, {.min = 0, .max = width.max});
  moe.shared_gate = map.boolean_or("shared_expert_gate", family.shared_gate && moe.shared_intermediate_size > 0);
}

// Node-limited routing: the experts of a token are of some groups only.
void read_groups(config::MapReader& map, MoeSpec& moe) {
  moe.groups = integer_if_given(map, "n_group", 1, {.min = 1, .max = most_experts});
  moe.groups_per_token = integer_if_given(map, "topk_group", moe.groups, {.min = 1, .max = most_experts});
  if (moe.num_experts % moe.groups != 0)
    return map.problem("n_group",
                       fmt::format("{} groups do not divide {} experts; use a divisor", moe.groups, moe.num_experts));
  if (moe.groups_per_token > moe.groups)
    return map.problem("topk_group", fmt::format("{} groups a token, but there are only {}; use at most as many",
                                                 moe.groups_per_token, moe.groups));
  if (const std::int64_t reachable = moe.num_experts / moe.groups * moe.groups_per_token;
      moe.experts_per_token > reachable)
    map.problem("topk_group",
                fmt::format("{} experts a token, but its groups have only {}; use {} groups or more",
                            moe.experts_per_token, reachable,
                            (moe.experts_per_token * moe.groups + moe.num_experts - 1) / moe.num_experts));
}

std::optional<MoeSpec> read_moe(const Source& from, const ModelSpec& dense) {
  config::MapReader& map = from.map;
  const std::size_t problems_before = from.problems.size();
  for (const std::string_view name : expert_counts)
    if (name != "num_local_experts")
      map.alias(name, "num_local_experts");
  if (!is_given(map, "num_local_experts"))
    return std::nullopt;
  MoeSpec moe;
  moe.num_experts = map.integer("num_local_experts", {.min = 1, .max = most_experts});
  moe.experts_per_token = read_experts_per_token(from);
  if (from.problems.size() == problems_before && moe.experts_per_token > moe.num_experts)
    map.problem("num_experts_per_tok", fmt::format("{} experts per token, but there are only {}; use at most as many",
                                                   moe.experts_per_token, moe.num_experts));
  if (moe.num_experts * dense.num_layers > most_experts_in_all)
    map.problem("num_local_experts", fmt::format("{} experts in each of {} layers; expected at most {} in all",
                                                 moe.num_experts, dense.num_layers, most_experts_in_all));
  moe.intermediate_size = integer_if_given(map, "moe_intermediate_size", dense.intermediate_size, width);
  read_shared_experts(map, from.family, moe);
  moe.router_bias = map.boolean_or("router_bias", from.family.router_bias);
  if (from.problems.size() == problems_before)
    read_groups(map, moe);
  return moe;
}

std::optional<MlaSpec> read_mla(config::MapReader& map) {
  if (!is_given(map, "kv_lora_rank"))
    return std::nullopt;
  MlaSpec mla;
  mla.q_lora_rank = integer_if_given(map, "q_lora_rank", 0, width);
  mla.kv_lora_rank = map.integer("kv_lora_rank", width);
  mla.qk_nope_head_dim = map.integer("qk_nope_head_dim", width);
  mla.qk_rope_head_dim = map.integer("qk_rope_head_dim", width);
  mla.v_head_dim = map.integer("v_head_dim", width);
  return mla;
}

void read_heads(config::MapReader& map, ModelSpec& model, const Problems& problems) {
  const std::size_t problems_before = problems.size();
  model.hidden_size = map.integer("hidden_size", width);
  model.num_layers = map.integer("num_hidden_layers", layers);
  model.num_heads = map.integer("num_attention_heads", {.min = 1, .max = 100'000});
  model.num_kv_heads = integer_if_given(map, "num_key_value_heads", model.num_heads, {.min = 1, .max = 100'000});
  // Sizes are compared only when each is sound by itself: one mistake, one message.
  const bool are_sound = problems.size() == problems_before;
  if (are_sound && model.num_heads % model.num_kv_heads != 0)
    map.problem("num_key_value_heads", fmt::format("{} does not divide num_attention_heads {}; each key-value head "
                                                   "serves equally many query heads",
                                                   model.num_kv_heads, model.num_heads));
  model.mla = read_mla(map);
  if (are_sound && !model.mla && !is_given(map, "head_dim") && model.hidden_size % model.num_heads != 0)
    map.problem("num_attention_heads",
                fmt::format("{} does not divide hidden_size {}; give head_dim", model.num_heads, model.hidden_size));
  model.head_dim =
      integer_if_given(map, "head_dim", std::max<std::int64_t>(1, model.hidden_size / model.num_heads), width);
}

// Llama 4 names the width of its dense layers apart: intermediate_size is then that of an expert.
void read_widths(const Source& from, ModelSpec& model) {
  config::MapReader& map = from.map;
  model.intermediate_size = map.integer("intermediate_size", width);
  model.vocab_size = map.integer("vocab_size", {.min = 1, .max = 100'000'000});
  model.moe = read_moe(from, model);
  model.intermediate_size = integer_if_given(map, "intermediate_size_mlp", model.intermediate_size, width);
}

void read_traits(config::MapReader& map, const Family& family, ModelSpec& model) {
  model.gated = map.boolean_or("gated", family.gated);
  model.attention_bias = map.boolean_or("attention_bias", family.attention_bias);
  model.output_bias = map.boolean_or("attention_output_bias", model.attention_bias && family.output_bias);
  model.attention_sinks = map.boolean_or("attention_sinks", family.attention_sinks);
  model.mlp_bias = map.boolean_or("mlp_bias", family.mlp_bias);
  model.clamps_activation = family.clamps_activation;
  model.scales_rotary = family.scales_rotary;
  model.post_norms = map.boolean_or("post_norms", family.post_norms);
  model.input_embedding_is_active = family.input_embedding_is_active;
  if (model.mla && model.attention_bias)
    map.problem("attention_bias", "latent attention is modelled without biases; use false");
  constexpr std::array qk_norms{QkNorm::None, QkNorm::Head, QkNorm::Width};
  constexpr std::array<std::string_view, 3> names{"none", "head", "width"};
  const std::string qk_norm = map.choice_or("qk_norm", name_of(family.qk_norm), names);
  model.qk_norm = qk_norms[static_cast<std::size_t>(std::ranges::find(names, qk_norm) - names.begin())];
  model.tied_embeddings = map.boolean_or("tie_word_embeddings", false);
}

void read_norm_and_positions(config::MapReader& map, const Family& family, ModelSpec& model) {
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

void read_fields(const Source& from, ModelSpec& model) {
  read_heads(from.map, model, from.problems);
  read_widths(from, model);
  read_traits(from.map, from.family, model);
  read_norm_and_positions(from.map, from.family, model);
  read_layer_kinds(from.map, from.family, model);
  model.mtp_layers = integer_if_given(from.map, "num_nextn_predict_layers", 0, {.min = 0, .max = most_mtp_layers});
}

// Notes a problem when there is no family of that name.
void report_unknown_type(config::MapReader& map, const std::string& model_type) {
  const std::string_view reason = refusal(model_type);
  if (!map.has("model_type"))
    return;
  if (reason.empty())
    map.problem("model_type",
                fmt::format("unknown model type '{}'; known types are {}", model_type, known_model_types()));
  else
    map.problem("model_type", fmt::format("models of type '{}' are not simulated: {}", model_type, reason));
}

// What the scenario itself says has to mean something; a file may say more than matters here.
void report_unread(config::MapReader& map, const config::Node& section, std::vector<std::string>& ignored_fields) {
  for (const std::string_view name : irrelevant)
    map.node(name);
  const bool is_map = section.kind == config::Node::Kind::Map;
  if (is_map && section.find("base") == nullptr)
    return map.finish();
  for (const std::string& key : map.unread_keys()) {
    const bool is_null = map.node(key)->kind == config::Node::Kind::Null;
    if (is_map && section.find(key) != nullptr)
      map.problem(key, "unknown field of a model; `moesim check` prints those of the model as it is");
    else if (!is_null && !key.starts_with('_')) // such keys are notes that people add
      ignored_fields.push_back(to_string({map.position_of(key), key, "unknown field of a model, ignored"}));
  }
}

// The fields of a file, and over them those of `section`, when that is a map with a `base`.
struct Sources {
  config::Node node;
  std::string name;
};

config::Node without_base(const config::Node& section) {
  config::Node rest = section;
  std::erase_if(rest.entries, [](const config::Entry& entry) { return entry.key == "base"; });
  return rest;
}

Sources read_file(const config::Node& section, const config::Node& name, const std::string& path) {
  if (name.kind != config::Node::Kind::Scalar)
    throw InputError(name.position, path,
                     config::mismatch(name, "a catalogue name, a path to a config.json or its fields"));
  const auto place =
      config::resolve(config::CatalogueKind::Model, name.scalar, name.position.file, name.position, path);
  config::Node file = config::load(place);
  if (&name == &section)
    return {std::move(file), place.stem().string()};
  // Of several names of one field, the one written here counts.
  const config::Node written = without_base(section);
  const bool has_experts = std::ranges::any_of(expert_counts, [&](auto key) { return written.find(key) != nullptr; });
  if (has_experts)
    std::erase_if(file.entries, [](const config::Entry& entry) {
      return std::ranges::find(expert_counts, entry.key) != expert_counts.end();
    });
  return {config::merge(file, written), place.stem().string()};
}

} // namespace

ModelSpec read_model(const config::Node& section, const std::string& path, Problems& problems,
                     std::vector<std::string>& ignored_fields) {
  const bool is_map = section.kind == config::Node::Kind::Map;
  const config::Node* base = is_map ? section.find("base") : &section;
  Sources sources{section, "inline"};
  ModelSpec model;
  try {
    if (base != nullptr)
      sources = read_file(section, *base, is_map ? path + ".base" : path);
  } catch (const InputError& error) {
    problems.add(error);
    return model;
  }
  config::MapReader map(sources.node, is_map ? path : "", problems);
  model.name = map.text_or("name", sources.name);
  model.model_type = map.text("model_type");
  const Family* found = find_family(model.model_type);
  if (found == nullptr)
    report_unknown_type(map, model.model_type);
  if (!refusal(model.model_type).empty())
    return model;
  const Family family = found == nullptr ? Family{} : *found;
  read_fields({map, family, problems, ignored_fields}, model);
  report_unread(map, section, ignored_fields);
  return model;
}

} // namespace moesim::workloads
