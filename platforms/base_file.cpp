#include "platforms/base_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/config/field_value.hpp"

namespace moesim::platforms {
namespace {

constexpr int deepest = 8;

config::Node without(const config::Node& map, std::string_view key) {
  config::Node rest = map;
  std::erase_if(rest.entries, [&](const config::Entry& entry) { return entry.key == key; });
  return rest;
}

// A map laid over a name says what differs from what the name stands for: over `gpu: h100-sxm-80gb`, the map
// {memory: {capacity: 141GB}} becomes {base: h100-sxm-80gb, memory: {capacity: 141GB}}.
config::Node refining_names(const config::Node& below, config::Node section) {
  for (config::Entry& entry : section.entries) {
    const config::Node* name = below.find(entry.key);
    if (name == nullptr || name->kind != config::Node::Kind::Scalar || entry.value.kind != config::Node::Kind::Map ||
        entry.value.find("base") != nullptr)
      continue;
    entry.value.entries.insert(entry.value.entries.begin(), config::Entry{"base", name->position, *name});
  }
  return section;
}

// A port's bandwidth has two names. What is laid over another platform may use the other one.
config::Node with_one_name(config::Node platform) {
  for (config::Entry& node : platform.entries) {
    if (node.key != "node")
      continue;
    for (config::Entry& port : node.value.entries)
      if (port.key == "nvlink" || port.key == "nic" || port.key == "pcie")
        for (config::Entry& field : port.value.entries)
          if (field.key == "bandwidth" && port.value.find("bandwidth_per_direction") == nullptr)
            field.key = "bandwidth_per_direction";
  }
  return platform;
}

// A fabric of another type has other fields: it replaces that of the base as a whole.
config::Node without_other_fabric(const config::Node& below, const config::Node& section) {
  const auto type_in = [](const config::Node& platform) {
    const config::Node* fabric = platform.find("fabric");
    return fabric == nullptr ? nullptr : fabric->find("type");
  };
  const config::Node* before = type_in(below);
  const config::Node* after = type_in(section);
  return before != nullptr && after != nullptr && before->scalar != after->scalar ? without(below, "fabric") : below;
}

BaseFile follow(config::CatalogueKind kind, const config::Node& section, const std::string& path, Problems& problems,
                int depth) {
  const config::Node* base = section.kind == config::Node::Kind::Map ? section.find("base") : &section;
  if (base == nullptr)
    return {true, section, "inline"};
  const std::string field = base == &section ? path : path + ".base";
  if (base->kind != config::Node::Kind::Scalar) {
    problems.add(base->position, field, config::mismatch(*base, "a catalogue name, a path or a map with the figures"));
    return {};
  }
  if (depth == deepest) {
    problems.add(base->position, field, fmt::format("more than {} files refer to each other; refer to one", deepest));
    return {};
  }
  try {
    const std::filesystem::path file = config::resolve(kind, base->scalar, base->position.file, base->position, field);
    BaseFile below = follow(kind, config::load(file), path, problems, depth + 1);
    if (!below.found)
      return below;
    below.name = file.stem().string();
    if (base != &section)
      below.node = config::merge(with_one_name(without_other_fabric(below.node, section)),
                                 with_one_name(refining_names(below.node, without(section, "base"))));
    return below;
  } catch (const InputError& error) {
    problems.add(error);
    return {};
  }
}

} // namespace

BaseFile with_base(config::CatalogueKind kind, const config::Node& section, const std::string& path,
                   Problems& problems) {
  return follow(kind, section, path, problems, 0);
}

} // namespace moesim::platforms
