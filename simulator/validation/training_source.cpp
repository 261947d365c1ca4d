#include "simulator/validation/training_source.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <regex>

#include <fmt/format.h>

#include "simulator/config/catalogue.hpp"

namespace moesim::validation {
namespace {

using config::Node;

std::string framework_text(const Entry& entry) {
  std::string words = entry.source;
  for (const char* field : {"framework", "method", "techniques", "kernels", "cumulative_step", "precision"})
    if (const auto given = text(entry.config, field))
      words += " " + *given;
  return words;
}

// Of the steps whose words are in that of the entry or in its dispatcher, the one with the most of them.
std::size_t step_of(const Entry& entry, const std::string& own, const Node& steps,
                    std::vector<std::string>& assumptions) {
  const std::string words = own + " " + text(entry.config, "moe_token_dispatcher").value_or("");
  const auto count = [](const Node& step) { return step.find("words")->items.size(); };
  std::optional<std::size_t> most;
  for (std::size_t at = 0; at < steps.items.size(); ++at)
    if (has_words(words, *steps.items[at].find("words")) &&
        (!most || count(steps.items[at]) > count(steps.items[*most])))
      most = at;
  if (!most)
    assumptions.push_back(fmt::format("no rule knows the step '{}', taken for the last", own));
  return most.value_or(steps.items.size() - 1);
}

Node& value_of(Node& map, const std::string& key) {
  const auto found = std::ranges::find(map.entries, key, &config::Entry::key);
  return found != map.entries.end() ? found->value : map.entries.emplace_back(config::Entry{key, {}, {}}).value;
}

// What a step says replaces what those before it do; null takes it away.
void add_step(Node& rule, const Node& step) {
  if (const Node* framework = step.find("framework"))
    value_of(rule, "framework") = *framework;
  const Node* set = step.find("set");
  if (set == nullptr)
    return;
  Node& differing = value_of(rule, "set");
  differing.kind = Node::Kind::Map;
  for (const config::Entry& field : set->entries)
    if (field.value.kind == Node::Kind::Null)
      std::erase_if(differing.entries, [&](const config::Entry& one) { return one.key == field.key; });
    else
      value_of(differing, field.key) = field.value;
}

// The numerical format, where the entry says it.
std::optional<std::string> given_precision(const Entry& entry, const Vocabulary& vocabulary) {
  const auto words = text(entry.config, "precision");
  if (!words)
    return std::nullopt;
  const Node* rule = first_rule(vocabulary.training, "precisions", *words);
  if (rule == nullptr)
    throw Unpredictable(fmt::format("no rule knows the precision '{}'", *words));
  if (const Node* reason = rule->find("skip"))
    throw Unpredictable(reason->scalar);
  return rule->find("name")->scalar;
}

// The precision that the framework of a rule trains in, or "" where it leaves that open.
std::string precision_of_framework(const Node& rule) {
  const std::string& name = rule.find("framework")->scalar;
  const Node file = config::load(config::resolve(config::CatalogueKind::Framework, name, "", {}, "framework"));
  const Node* training = file.find("training");
  const Node* precision = training == nullptr ? nullptr : training->find("precision");
  return precision == nullptr ? "" : precision->scalar;
}

} // namespace

config::Node framework_of(const Entry& entry, const Vocabulary& vocabulary, std::vector<std::string>& assumptions) {
  Node rule = *first_rule(vocabulary.training, "frameworks", framework_text(entry)); // the last one is for any
  const auto own = text(entry.config, "cumulative_step");
  if (const Node* found = rule.find("steps")) {
    const Node steps = *found;
    const std::size_t last = own ? step_of(entry, *own, steps, assumptions) : steps.items.size() - 1;
    for (std::size_t at = 0; at <= last; ++at)
      add_step(rule, steps.items[at]);
  }
  return rule;
}

std::string release_of(const Entry& entry, const Vocabulary& vocabulary) {
  for (const Node& expression : vocabulary.training.find("releases")->items)
    for (const std::string& words : {entry.where, entry.source}) {
      std::smatch found;
      if (std::regex_search(words, found, std::regex(expression.scalar)))
        return found[1];
    }
  return "";
}

std::string precision_of(const Entry& entry, const Node& framework, const Vocabulary& vocabulary) {
  const std::string precision = given_precision(entry, vocabulary).value_or(precision_of_framework(framework));
  return precision.empty() ? "bf16" : precision;
}

} // namespace moesim::validation
