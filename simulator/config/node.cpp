#include "simulator/config/node.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/config/json_document.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/config/yaml_document.hpp"

namespace moesim::config {
namespace {

Node checked_top(Node top, Problems& problems) {
  if (top.kind == Node::Kind::Null)
    problems.add(top.position, "", "the document is empty; expected a map of fields, such as 'version: 1'");
  else if (top.kind != Node::Kind::Map)
    problems.add(top.position, "",
                 fmt::format("the document is {}; expected a map of fields, such as 'version: 1'", description(top)));
  problems.throw_if_any();
  return top;
}

} // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

Node parse_yaml(const std::string& text, const std::string& file) {
  Problems problems;
  Node top = parse_yaml_value(text, {file, 1, 1}, problems);
  return checked_top(std::move(top), problems);
}

Node parse_yaml_list(const std::string& text, const std::string& file) {
  Problems problems;
  Node top = parse_yaml_value(text, {file, 1, 1}, problems);
  if (top.kind == Node::Kind::Null)
    problems.add(top.position, "", "the document is empty; expected a list");
  else if (top.kind != Node::Kind::Sequence)
    problems.add(top.position, "", fmt::format("the document is {}; expected a list", description(top)));
  problems.throw_if_any();
  return top;
}

Node parse_json(const std::string& text, const std::string& file) {
  Problems problems;
  Node top = parse_json_value(text, {file, 1, 1}, problems);
  return checked_top(std::move(top), problems);
}

Node merge(const Node& base, const Node& overlay) {
  if (base.kind != Node::Kind::Map || overlay.kind != Node::Kind::Map)
    return overlay;
  Node merged = base;
  merged.position = overlay.position;
  for (const Entry& entry : overlay.entries) {
    const auto same_key = [&](const Entry& candidate) { return candidate.key == entry.key; };
    const auto found = std::find_if(merged.entries.begin(), merged.entries.end(), same_key);
    if (found == merged.entries.end())
      merged.entries.push_back(entry);
    else
      *found = {entry.key, entry.key_position, merge(found->value, entry.value)};
  }
  return merged;
}

} // namespace moesim::config
