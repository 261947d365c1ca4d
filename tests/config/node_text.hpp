// A tree as one line of text: each value with its kind and its LINE:COLUMN.
#pragma once

#include <string>

#include "simulator/config/node.hpp"

namespace moesim::config {

inline std::string place(const Position& position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

// 8@1:4 for a plain scalar, 'a b'@1:4 for a quoted one, null@1:4, [..]@1:4, {key@1:1: ..}@1:4
inline std::string node_text(const Node& node) {
  std::string text;
  switch (node.kind) {
  case Node::Kind::Null:
    text = "null";
    break;
  case Node::Kind::Scalar:
    text = node.quoted ? "'" + node.scalar + "'" : node.scalar;
    break;
  case Node::Kind::Sequence:
    for (const Node& item : node.items)
      text += (text.empty() ? "" : ", ") + node_text(item);
    text = "[" + text + "]";
    break;
  case Node::Kind::Map:
    for (const Entry& entry : node.entries)
      text += (text.empty() ? "" : ", ") + entry.key + "@" + place(entry.key_position) + ": " + node_text(entry.value);
    text = "{" + text + "}";
    break;
  }
  return text + "@" + place(node.position);
}

} // namespace moesim::config
