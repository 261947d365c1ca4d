#include "simulator/validation/recipes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace moesim::validation {
namespace {

using config::Node;

// Whether the value is in the list `key` of a rule; a rule without the list takes any.
bool is_listed(const Node& rule, const char* key, const std::string& value) {
  const Node* list = rule.find(key);
  return list == nullptr || std::ranges::any_of(list->items, [&](const Node& item) { return item.scalar == value; });
}

// Degrees and micro-batch sizes that nobody names are 1.
bool has_fields(const Node& rule, const Node& config) {
  const Node* when = rule.find("when");
  return when == nullptr || std::ranges::all_of(when->entries, [&](const config::Entry& field) {
           return text(config, field.key).value_or("1") == field.value.scalar;
         });
}

bool suits(const Node& rule, const TrainingFields& fields) {
  const Node* model = rule.find("model");
  return (model == nullptr || has_words(text(fields.entry.config, "model").value_or(""), *model)) &&
         is_listed(rule, "hardware", fields.system.hardware) && is_listed(rule, "precisions", fields.precision) &&
         is_of_release(rule, fields.release) && has_fields(rule, fields.entry.config);
}

// "cuda_graph_scope attn, moe_router"
std::string as_text(const config::Entry& field) {
  std::vector<std::string> values;
  for (const Node& value : field.value.items)
    values.push_back(value.scalar);
  if (values.empty())
    values.push_back(field.value.scalar);
  return fmt::format("{} {}", field.key, fmt::join(values, ", "));
}

bool is_given(const Node& config, const std::string& key) {
  const Node* extra = config.find("extra");
  for (const Node* value : {config.find(key), extra == nullptr ? nullptr : extra->find(key)})
    if (value != nullptr && value->kind != Node::Kind::Null)
      return true;
  return false;
}

// Sets what the first rule that suits has and the entry has not.
void fill(TrainingFields& fields, const std::vector<Node>& rules, std::vector<std::string>& filled) {
  const auto rule = std::ranges::find_if(rules, [&](const Node& one) { return suits(one, fields); });
  if (rule == rules.end())
    return;
  Node& config = fields.entry.config;
  for (const config::Entry& field : rule->find("config")->entries) {
    if (is_given(config, field.key))
      continue;
    std::erase_if(config.entries, [&](const config::Entry& one) { return one.key == field.key; });
    config.entries.push_back(field);
    filled.push_back(as_text(field));
  }
}

} // namespace

void complete_by_recipe(TrainingFields& fields, const Vocabulary& vocabulary) {
  const Node* lists = vocabulary.recipes.find(fields.framework);
  if (lists == nullptr)
    return;
  std::vector<std::string> filled;
  for (const config::Entry& list : lists->entries)
    fill(fields, list.value.items, filled);
  if (!filled.empty())
    fields.assumptions.push_back(fmt::format("by the framework's recipe: {}", fmt::join(filled, "; ")));
}

} // namespace moesim::validation
