#include "simulator/scenario/adapt.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/scenario/assign.hpp"

namespace moesim::scenario {
namespace {

constexpr config::IntegerRange lengths{.min = 1, .max = 100'000'000};
constexpr config::NumberRange shares{.min = 0, .max = 100};

struct Rule {
  std::optional<std::int64_t> length_above, length_up_to; // tokens
  std::optional<double> memory_above;                     // of the GPU's
  std::vector<config::Entry> settings;                    // by their paths
};

void read_length(config::MapReader form, Rule& rule) {
  if (form.node("above") != nullptr)
    rule.length_above = form.integer("above", lengths);
  if (form.node("up_to") != nullptr)
    rule.length_up_to = form.integer("up_to", lengths);
  form.finish();
  if (!rule.length_above && !rule.length_up_to && form.unread_keys().empty())
    form.problem("", "no length; expected above, up_to or both, such as {above: 2048, up_to: 4096}");
}

void read_condition(config::MapReader when, Rule& rule) {
  if (when.node("seq_length") != nullptr)
    read_length(when.map("seq_length"), rule);
  if (when.node("memory") != nullptr) {
    config::MapReader form = when.map("memory");
    rule.memory_above = form.number("above", shares);
    form.finish();
  }
  when.finish();
  if (!when.has("seq_length") && !when.has("memory") && when.unread_keys().empty())
    when.problem("", "no condition; expected seq_length, memory or both, such as {seq_length: {above: 2048}}");
}

bool is_ones_own(std::string_view path) {
  const std::string_view section = path.substr(0, path.find('.'));
  return section == "adapt" || section == "claims" ||
         section == "framework"; // laid under the scenario before rules are
}

void read_settings(config::MapReader& map, Rule& rule) {
  const config::Node* node = map.node("set");
  if (node == nullptr || node->kind != config::Node::Kind::Map || node->entries.empty())
    return map.problem("set", fmt::format("found {}; expected fields of the scenario with their values, such as "
                                          "{{training.recompute: full}}",
                                          node == nullptr ? "nothing" : config::description(*node)));
  for (const config::Entry& entry : node->entries)
    if (is_ones_own(entry.key))
      map.problem("set", fmt::format("'{}' is not the run's; expected a field of another section, such as training",
                                     config::shown(entry.key)));
  rule.settings = node->entries;
}

Rule read_rule(config::MapReader map) {
  Rule rule;
  read_condition(map.map("when"), rule);
  read_settings(map, rule);
  map.finish();
  return rule;
}

std::optional<std::int64_t> length_of(const config::Node& root) {
  for (const auto& [section, key] : {std::pair("training", "seq_length"), std::pair("inference", "prompt_length")})
    if (const config::Node* job = root.find(section))
      if (const config::Node* length = job->find(key))
        return config::read_integer(*length, lengths).value;
  return {};
}

// Why the rule holds; none: it does not, or the scenario does not say.
std::optional<std::string> reason(const Rule& rule, const config::Node& root, const MemoryShare& memory_share) {
  std::vector<std::string> words;
  if (rule.length_above || rule.length_up_to) {
    const std::optional<std::int64_t> length = length_of(root);
    if (!length || *length <= rule.length_above.value_or(0) || *length > rule.length_up_to.value_or(lengths.max))
      return {};
    words.push_back(rule.length_above ? fmt::format("seq_length {} is above {}", *length, *rule.length_above)
                                      : fmt::format("seq_length {} is up to {}", *length, *rule.length_up_to));
  }
  if (rule.memory_above) {
    const std::optional<double> share = memory_share(root);
    if (!share || *share <= *rule.memory_above)
      return {};
    words.push_back(fmt::format("memory {:.1f} % is above {:g} %", 100 * *share, 100 * *rule.memory_above));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

config::Node with_settings(config::Node root, const Rule& rule, std::span<const std::string> assignments) {
  for (const config::Entry& setting : rule.settings)
    assign(root, setting.key, setting.key_position, setting.value);
  for (const std::string& assignment : assignments)
    assign(root, assignment);
  return root;
}

std::vector<std::string> assignments_of(const Rule& rule) {
  std::vector<std::string> result;
  for (const config::Entry& setting : rule.settings)
    result.push_back(setting.key + "=" + config::flow_text(setting.value));
  return result;
}

} // namespace

std::string describe(const Adaptation& adaptation) {
  return fmt::format("{}: {}", adaptation.reason, fmt::join(adaptation.assignments, ", "));
}

std::vector<Adaptation> adapt(config::Node& root, std::span<const std::string> assignments,
                              const MemoryShare& memory_share, Problems& problems) {
  config::MapReader map(root, "", problems);
  std::vector<Rule> rules;
  for (config::MapReader& rule : map.maps_or_empty("adapt"))
    rules.push_back(read_rule(std::move(rule)));
  std::vector<Adaptation> result;
  if (!problems.empty())
    return result;
  for (const Rule& rule : rules) {
    const std::optional<std::string> why = reason(rule, root, memory_share);
    if (!why)
      continue;
    try {
      config::Node adapted = with_settings(root, rule, assignments);
      if (config::flow_text(adapted) == config::flow_text(root))
        continue;
      root = std::move(adapted);
      result.push_back({*why, assignments_of(rule)});
    } catch (const InputError& error) {
      problems.add(error);
    }
  }
  return result;
}

} // namespace moesim::scenario
