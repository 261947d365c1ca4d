// A YAML or JSON document as a tree in which every value and every key knows where the user wrote it.
// yaml-cpp stays behind parse(); it accepts duplicate keys and NUL bytes in silence, so this reader does not.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/base/input_error.hpp"

namespace moesim::config {

struct Entry;

struct Node {
  enum class Kind { Null, Scalar, Sequence, Map };

  Kind kind = Kind::Null;
  std::string scalar;         // text of a scalar, unquoted
  bool quoted = false;        // "8" is a text, 8 is a number
  std::vector<Node> items;    // of a sequence
  std::vector<Entry> entries; // of a map, in the order written, keys unique
  Position position;          // of the first character of the value

  // The value of `key`, or nullptr when this is not a map or has no such key.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Position key_position;
  Node value;
};

// Parses one YAML document whose top is a map. `file` is the name shown in messages.
// Throws InputError with every problem found: syntax errors, duplicate keys, bytes that are not UTF-8 text (NUL
// included), more than one document, a top that is not a map, an empty file.
[[nodiscard]] Node parse_yaml(const std::string& text, const std::string& file);

// The same for a document whose top is a list.
[[nodiscard]] Node parse_yaml_list(const std::string& text, const std::string& file);

// As parse_yaml() for a JSON document, which must be JSON proper (a trailing comma or a comment is an error).
[[nodiscard]] Node parse_json(const std::string& text, const std::string& file);

// The contents of a file, read once from its start to its end: it may be a pipe. Throws InputError; a missing,
// unreadable or oversized (over 64 MiB) file, or a folder, is a whole-file problem at 1:1.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

// Parses the contents of a file, as JSON when its name ends in .json and as YAML otherwise. Messages show `path` as
// given.
[[nodiscard]] Node parse(const std::string& text, const std::filesystem::path& path);

// Both together.
[[nodiscard]] Node load(const std::filesystem::path& path);

// Applies one `--set` argument, `path.to.field=VALUE` with VALUE any YAML value; maps on the way are made, `name.0`
// addresses an item of a sequence. Positions in the new value carry the file name "--set" and the column in the
// argument. Throws InputError when the argument has no '=', an empty path element, an invalid value, or goes through a
// scalar.
void set(Node& root, std::string_view assignment);
// The same for a value at hand; `start` is where the path starts, for messages about it.
void set(Node& root, std::string_view path, const Position& start, Node value);

// `overlay` laid over `base`: maps merge key by key, anything else in `overlay` replaces what `base` had.
[[nodiscard]] Node merge(const Node& base, const Node& overlay);

} // namespace moesim::config
