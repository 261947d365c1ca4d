// Builds the tree of nodes from the events of a parser, YAML or JSON, and holds it to what we accept: unique keys that
// are texts, at most 64 levels and a million nodes once aliases are expanded.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::config {

class TreeBuilder {
public:
  // Numbers an anchored node (&name in YAML); no_anchor for most.
  using Anchor = std::size_t;
  static constexpr Anchor no_anchor = 0;

  explicit TreeBuilder(Problems& problems) : problems_(&problems) {}

  // A null or a scalar, complete in itself.
  void leaf(Node node, Anchor anchor = no_anchor);
  // Starts a sequence or a map that end() completes.
  void begin(Node::Kind kind, Position position, Anchor anchor = no_anchor);
  void end();
  // A copy of the node that `anchor` names.
  void alias(Anchor anchor, const Position& position);

  // The finished document; nullopt before the first value.
  [[nodiscard]] std::optional<Node> take() { return std::move(top_); }

private:
  struct Frame {
    Node node;
    Anchor anchor = no_anchor;
    std::optional<Node> key; // of a map whose next node is the value
  };
  struct Anchored {
    Node node;
    std::size_t nodes = 0;
    std::size_t levels = 0;
  };

  void complete(Node node, Anchor anchor);
  void attach(Node node);
  static void complete_entry(Frame& map, Node value);
  void check_key(const Node& key);
  void report_duplicates(const Node& map);
  void count(std::size_t nodes, std::size_t levels, const Position& position);
  [[noreturn]] void refuse(const Position& position, std::string message);

  Problems* problems_;
  std::vector<Frame> open_;
  std::unordered_map<Anchor, Anchored> anchored_;
  std::size_t nodes_ = 0;
  std::optional<Node> top_;
};

} // namespace moesim::config
