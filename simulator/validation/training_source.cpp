#include "simulator/validation/training_source.hpp"

#include <optional>
#include <regex>

#include <fmt/format.h>

#include "simulator/config/catalogue.hpp"

namespace moesim::validation {
namespace {

using config::Node;

std::string framework_text(const Entry& entry) {
  std::string words = entry.source;
  for (const char* field :
       {"framework", "method", "techniques", "cumulative_step", "moe_token_dispatcher", "precision"})
    if (const auto given = text(entry.config, field))
      words += " " + *given;
  return words;
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

const config::Node& framework_of(const Entry& entry, const Vocabulary& vocabulary) {
  return *first_rule(vocabulary.training, "frameworks", framework_text(entry)); // the last one is for any
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
