#include "simulator/scenario/assign.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

// `--set platform.nodes=16` on `platform: moe30b-cluster` means the cluster of that name with 16 nodes, and likewise
// for a model: before a field is set below a name, the name becomes {base: NAME}.
void name_becomes_base(config::Node& parent, std::string_view key) {
  const auto entry = std::ranges::find(parent.entries, key, &config::Entry::key);
  if (entry == parent.entries.end() || entry->value.kind != config::Node::Kind::Scalar)
    return;
  config::Node map;
  map.kind = config::Node::Kind::Map;
  map.position = entry->value.position;
  map.entries.push_back({"base", entry->value.position, std::move(entry->value)});
  entry->value = std::move(map);
}

// A field that the scenario has under its other name (Megatron's, or the short one) is set under that.
std::string under_the_name_given(const config::Node& root, std::string_view path) {
  constexpr std::string_view section = "parallel.";
  const config::Node* parallel = root.find("parallel");
  if (!path.starts_with(section) || parallel == nullptr)
    return std::string(path);
  const std::string_view key = path.substr(section.size());
  for (const config::Entry& entry : parallel->entries)
    if (entry.key != key && short_name(entry.key) == short_name(key))
      return std::string(section) + entry.key;
  return std::string(path);
}

// The path to set, once what lies above it can hold it.
std::string prepared(config::Node& root, std::string_view path) {
  for (const std::string_view section : {"platform", "model"})
    if (path.starts_with(std::string(section) + "."))
      name_becomes_base(root, section);
  if (path.starts_with("platform.gpu."))
    for (config::Entry& entry : root.entries)
      if (entry.key == "platform")
        name_becomes_base(entry.value, "gpu");
  return under_the_name_given(root, path);
}

} // namespace

void assign(config::Node& root, std::string_view assignment) {
  const std::size_t equals = std::min(assignment.find('='), assignment.size());
  config::set(root, prepared(root, assignment.substr(0, equals)) + std::string(assignment.substr(equals)));
}

void assign(config::Node& root, std::string_view path, const Position& start, config::Node value) {
  config::set(root, prepared(root, path), start, std::move(value));
}

} // namespace moesim::scenario
