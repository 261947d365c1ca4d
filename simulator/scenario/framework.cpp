#include "simulator/scenario/framework.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "simulator/config/catalogue.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/number.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

constexpr std::array<std::string_view, 3> sections{"parallel", "training", "moe"};

// The sections of a framework's file, or of a part of it.
config::Node sections_of(config::MapReader& map) {
  config::Node node;
  node.kind = config::Node::Kind::Map;
  for (const std::string_view section : sections)
    if (const config::Node* given = map.node(section))
      node.entries.push_back({std::string(section), given->position, *given});
  return node;
}

// Without the fields that a scenario replaces as a whole: what a map of its own leaves out means its default, not what
// the framework's map has there.
config::Node without_replaced(config::Node framework, const config::Node& scenario) {
  const config::Node* given = scenario.find("training");
  for (config::Entry& section : framework.entries)
    if (section.key == "training" && given != nullptr && given->find("recompute") != nullptr)
      std::erase_if(section.value.entries, [](const config::Entry& entry) { return entry.key == "recompute"; });
  return framework;
}

bool has_pipeline(const config::Node& scenario) {
  const config::Node* parallel = scenario.find("parallel");
  return parallel != nullptr && std::ranges::any_of(parallel->entries, [](const config::Entry& entry) {
           return short_name(entry.key) == "pp" && config::is_integer(entry.value.scalar) &&
                  config::integer_value(entry.value.scalar) > 1;
         });
}

// Without the fields of `parallel` that the scenario has under another name.
config::Node without_other_names(config::Node framework, const config::Node& scenario) {
  const config::Node* given = scenario.find("parallel");
  for (config::Entry& section : framework.entries)
    if (section.key == "parallel" && given != nullptr)
      std::erase_if(section.value.entries, [&](const config::Entry& entry) {
        return std::ranges::any_of(given->entries, [&](const config::Entry& other) {
          return other.key != entry.key && short_name(other.key) == short_name(entry.key);
        });
      });
  return framework;
}

} // namespace

config::Node over_framework(const config::Node& scenario, Problems& problems) {
  const config::Node* name = scenario.find("framework");
  if (name == nullptr)
    return scenario;
  config::MapReader root(scenario, "", problems);
  const std::string reference = root.text("framework");
  if (scenario.find("inference") != nullptr)
    root.problem("framework", "is about training, and this is inference; leave it out");
  if (name->kind != config::Node::Kind::Scalar)
    return scenario;
  try {
    const config::Node file = config::load(
        config::resolve(config::CatalogueKind::Framework, reference, name->position.file, name->position, "framework"));
    config::MapReader map(file, "", problems);
    map.integer("version", {.min = 1, .max = 1});
    map.text_or("description", "");
    config::Node framework = sections_of(map);
    config::MapReader pipeline = map.map_or_empty("with_pipeline");
    const config::Node of_pipeline = sections_of(pipeline);
    pipeline.finish();
    map.finish();
    if (has_pipeline(scenario))
      framework = config::merge(framework, of_pipeline);
    return config::merge(without_replaced(without_other_names(framework, scenario), scenario), scenario);
  } catch (const InputError& error) {
    problems.add(error);
    return scenario;
  }
}

} // namespace moesim::scenario
