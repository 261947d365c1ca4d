// Applies `--set path.to.field=VALUE`.
#include "simulator/config/node.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/config/source_text.hpp"
#include "simulator/config/yaml_document.hpp"

namespace moesim::config {
namespace {

constexpr std::size_t max_path_elements = 64; // as deep as a document may be

struct Element {
  std::string name;
  Position position;
};

Position column(std::size_t offset) {
  return {"--set", 1, static_cast<int>(offset) + 1};
}

std::vector<Element> elements(std::string_view path) {
  std::vector<Element> result;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find('.', from), path.size());
    if (to == from)
      throw InputError(column(from), "", "a name is missing in the path; expected path.to.field=VALUE");
    result.push_back({std::string(path.substr(from, to - from)), column(from)});
    from = to + 1;
  }
  if (result.size() > max_path_elements)
    throw InputError(column(0), "", fmt::format("the path is too long; expected at most {} names", max_path_elements));
  return result;
}

Node& item(Node& sequence, const Element& element, const std::string& field) {
  const auto size = static_cast<std::int64_t>(sequence.items.size());
  if (is_integer(element.name)) {
    const std::int64_t index = integer_value(element.name);
    if (index >= 0 && index < size)
      return sequence.items[static_cast<std::size_t>(index)];
  }
  const std::string expected =
      size == 0 ? "the list is empty" : fmt::format("expected the number of an item, from 0 to {}", size - 1);
  throw InputError(element.position, field,
                   fmt::format("'{}' is not an item of this list; {}", shown(element.name), expected));
}

// The node that `element` names below `parent`, made when it is not there yet.
Node& child(Node& parent, const Element& element, const std::string& field) {
  if (parent.kind == Node::Kind::Sequence)
    return item(parent, element, field);
  if (parent.kind == Node::Kind::Scalar)
    throw InputError(
        element.position, field,
        fmt::format("'{}' lies below {}; expected a map or a list there", shown(element.name), description(parent)));
  if (parent.kind == Node::Kind::Null) {
    parent.kind = Node::Kind::Map;
    parent.position = element.position;
  }
  for (Entry& entry : parent.entries)
    if (entry.key == element.name)
      return entry.value;
  Node made;
  made.position = element.position;
  parent.entries.push_back({element.name, element.position, std::move(made)});
  return parent.entries.back().value;
}

} // namespace

void set(Node& root, std::string_view argument) {
  const std::string assignment = checked_text(std::string(argument), column(0));
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos)
    throw InputError(column(0), "", fmt::format("'{}' has no '='; expected path.to.field=VALUE", shown(assignment)));
  const std::string field = shown(assignment.substr(0, equals));
  const std::vector<Element> path = elements(assignment.substr(0, equals));
  Problems problems;
  Node value = parse_yaml_value(assignment.substr(equals + 1), column(equals + 1), problems);
  problems.throw_if_any();
  Node* target = &root;
  for (const Element& element : path)
    target = &child(*target, element, field);
  *target = std::move(value);
}

} // namespace moesim::config
