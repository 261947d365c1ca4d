#include "simulator/validation/aliases.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"

namespace moesim::validation {
namespace {

using config::Node;

// Of one model, or of one variant.
void check_choice(config::MapReader map, Problems& problems) {
  map.text("file");
  const Node* overrides = map.node("overrides");
  if (overrides != nullptr && overrides->kind != Node::Kind::Map)
    problems.add(overrides->position, map.path_of("overrides"), config::mismatch(*overrides, "a map of fields"));
}

void check_model(const config::Entry& model, Problems& problems) {
  config::MapReader map(model.value, "models." + model.key, problems);
  if (!map.has("variants"))
    return check_choice(map, problems);
  for (config::MapReader& variant : map.maps_or_empty("variants")) {
    static_cast<void>(variant.map("when"));
    check_choice(variant, problems);
  }
}

bool is_chosen(const Node& when, const Node& config) {
  return std::ranges::all_of(when.entries, [&](const config::Entry& field) {
    const Node* value = config.find(field.key);
    return value != nullptr && value->scalar == field.value.scalar;
  });
}

const Node* chosen(const Node& model, const Node& config) {
  const Node* variants = model.find("variants");
  if (variants == nullptr)
    return &model;
  for (const Node& variant : variants->items)
    if (is_chosen(*variant.find("when"), config))
      return &variant;
  return nullptr;
}

void assign(Model& model, const std::string& key, const Node& value) {
  const std::string assignment = fmt::format("{}={}", key, value.scalar);
  model.assignments.push_back("model." + assignment);
  config::set(model.fields, assignment);
}

} // namespace

Aliases::Aliases(const std::filesystem::path& file) : folder_(std::filesystem::absolute(file).parent_path()) {
  Node top = config::load(file);
  Problems problems;
  config::MapReader map(top, "", problems);
  static_cast<void>(map.map("models"));
  if (const Node* models = map.node("models"); models != nullptr && models->kind == Node::Kind::Map)
    models_ = *models;
  for (const config::Entry& model : models_.entries)
    check_model(model, problems);
  for (config::MapReader& item : map.maps_or_empty("entry_defaults")) {
    item.text("source_title");
    item.text("field");
    item.text("why");
  }
  problems.throw_if_any();
  if (const Node* defaults = map.node("entry_defaults"))
    defaults_ = defaults->items;
}

Model Aliases::model_of(const Entry& entry) const {
  const std::string name = text(entry.config, "model").value_or("");
  const Node* alias = models_.find(name);
  const Node* choice = alias == nullptr ? nullptr : chosen(*alias, entry.config);
  if (choice == nullptr)
    throw Unpredictable(fmt::format("the aliases do not know the model '{}'", name));
  Model model;
  model.file = (folder_ / "models" / choice->find("file")->scalar).string();
  model.fields = config::load(model.file);
  if (const Node* overrides = choice->find("overrides"))
    for (const config::Entry& field : overrides->entries)
      assign(model, field.key, field.value);
  constexpr std::array<std::pair<const char*, const char*>, 4> own{{{"num_layers", "num_hidden_layers"},
                                                                    {"hidden_size", "hidden_size"},
                                                                    {"num_attention_heads", "num_attention_heads"},
                                                                    {"vocab_size", "vocab_size"}}};
  for (const auto& [field, key] : own)
    if (const Node* value = entry.config.find(field); value != nullptr && value->kind == Node::Kind::Scalar)
      assign(model, key, *value);
  return model;
}

Entry Aliases::completed(Entry entry, std::vector<std::string>& assumptions) const {
  for (const Node& rule : defaults_) {
    const std::string& field = rule.find("field")->scalar;
    if (rule.find("source_title")->scalar != entry.source || text(entry.config, field))
      continue;
    const Node& value = *rule.find("value");
    std::erase_if(entry.config.entries, [&](const config::Entry& one) { return one.key == field; });
    entry.config.entries.push_back({field, value.position, value});
    assumptions.push_back(fmt::format("{}: {} ({})", field, value.scalar, rule.find("why")->scalar));
  }
  return entry;
}

} // namespace moesim::validation
