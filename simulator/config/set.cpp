// Sets a field by its path, as `--set path.to.field=VALUE` does.
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

const Position first_column{"--set", 1, 1};

Position behind(const Position& start, std::size_t columns) {
  return {start.file, start.line, start.column + static_cast<int>(columns)};
}

// `start`: where the path starts.
std::vector<Element> elements(std::string_view path, const Position& start) {
  std::vector<Element> result;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find('.', from), path.size());
    if (to == from)
      throw InputError(behind(start, from), "", "a name is missing in the path; expected path.to.field");
    result.push_back({std::string(path.substr(from, to - from)), behind(start, from)});
    from = to + 1;
  }
  if (result.size() > max_path_elements)
    throw InputError(start, "", fmt::format("the path is too long; expected at most {} names", max_path_elements));
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
  const std::string assignment = checked_text(std::string(argument), first_column);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos)
    throw InputError(first_column, "", fmt::format("'{}' has no '='; expected path.to.field=VALUE", shown(assignment)));
  Problems problems;
  Node value = parse_yaml_value(assignment.substr(equals + 1), behind(first_column, equals + 1), problems);
  problems.throw_if_any();
  set(root, assignment.substr(0, equals), first_column, std::move(value));
}

void set(Node& root, std::string_view path, const Position& start, Node value) {
  const std::string field = shown(path);
  Node* target = &root;
  for (const Element& element : elements(path, start))
    target = &child(*target, element, field);
  *target = std::move(value);
}

} // namespace moesim::config
