#include "simulator/config/tree_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "simulator/config/quote.hpp"

namespace moesim::config {
namespace {

// Everything that walks a tree recurses once per level, so the stack stays small.
constexpr std::size_t max_levels = 64;
constexpr std::size_t max_nodes = 1'000'000;

struct Extent {
  std::size_t nodes = 1;
  std::size_t levels = 1;

  void include(const Extent& child) {
    nodes += child.nodes;
    levels = std::max(levels, child.levels + 1);
  }
};

Extent extent(const Node& node) {
  Extent whole;
  for (const Node& item : node.items)
    whole.include(extent(item));
  for (const Entry& entry : node.entries)
    whole.include(extent(entry.value));
  return whole;
}

} // namespace

void TreeBuilder::leaf(Node node, Anchor anchor) {
  count(1, 1, node.position);
  complete(std::move(node), anchor);
}

void TreeBuilder::begin(Node::Kind kind, Position position, Anchor anchor) {
  count(1, 1, position);
  Node node;
  node.kind = kind;
  node.position = std::move(position);
  open_.push_back({std::move(node), anchor, std::nullopt});
}

void TreeBuilder::end() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (frame.node.kind == Node::Kind::Map)
    report_duplicates(frame.node);
  complete(std::move(frame.node), frame.anchor);
}

void TreeBuilder::alias(Anchor anchor, const Position& position) {
  const auto found = anchored_.find(anchor);
  if (found == anchored_.end())
    refuse(position, "the alias stands inside the value that it names; expected a value that ends before its alias");
  count(found->second.nodes, found->second.levels, position);
  attach(found->second.node);
}

void TreeBuilder::complete(Node node, Anchor anchor) {
  if (anchor != no_anchor) {
    const Extent size = extent(node);
    // The copy kept for the aliases counts too, or anchors nested in anchors would escape the limit.
    count(size.nodes, 0, node.position);
    anchored_.insert_or_assign(anchor, Anchored{node, size.nodes, size.levels});
  }
  attach(std::move(node));
}

void TreeBuilder::attach(Node node) {
  if (open_.empty()) {
    top_ = std::move(node);
    return;
  }
  Frame& parent = open_.back();
  if (parent.node.kind == Node::Kind::Sequence) {
    parent.node.items.push_back(std::move(node));
  } else if (!parent.key) {
    check_key(node);
    parent.key = std::move(node);
  } else {
    complete_entry(parent, std::move(node));
  }
}

void TreeBuilder::complete_entry(Frame& map, Node value) {
  Node key = *std::exchange(map.key, std::nullopt);
  if (key.kind != Node::Kind::Scalar)
    return; // already reported
  // A parser sees that a value is absent only at whatever comes next, which may be the next field.
  if (value.kind == Node::Kind::Null && value.position.line != key.position.line)
    value.position = key.position;
  map.node.entries.push_back({std::move(key.scalar), std::move(key.position), std::move(value)});
}

void TreeBuilder::check_key(const Node& key) {
  if (key.kind != Node::Kind::Scalar)
    problems_->add(key.position, "", fmt::format("{} stands where a key should; expected a name", description(key)));
  else if (!key.quoted && key.scalar == "<<")
    problems_->add(key.position, "", "the merge key << is not supported; write out the keys that it would bring");
}

void TreeBuilder::report_duplicates(const Node& map) {
  std::vector<const Entry*> by_key;
  for (const Entry& entry : map.entries)
    by_key.push_back(&entry);
  std::stable_sort(by_key.begin(), by_key.end(), [](const Entry* a, const Entry* b) { return a->key < b->key; });
  const Entry* first = nullptr;
  for (const Entry* entry : by_key) {
    if (first == nullptr || first->key != entry->key)
      first = entry;
    else
      problems_->add(entry->key_position, "",
                     fmt::format("the key '{}' is already given at line {}, column {}; keep one of the two",
                                 shown(entry->key), first->key_position.line, first->key_position.column));
  }
}

void TreeBuilder::count(std::size_t nodes, std::size_t levels, const Position& position) {
  nodes_ += nodes;
  if (nodes_ > max_nodes)
    refuse(position, fmt::format("the document has too many values; expected at most {}, aliases expanded", max_nodes));
  if (open_.size() + levels > max_levels)
    refuse(position, fmt::format("values are nested too deeply; expected at most {} levels", max_levels));
}

void TreeBuilder::refuse(const Position& position, std::string message) {
  problems_->add(position, "", std::move(message));
  problems_->throw_if_any();
  std::terminate(); // unreachable: a problem was just added
}

} // namespace moesim::config
