// Reads one map of a document into typed values. Every method notes what is wrong in `problems` and goes on, so that
// the user sees all mistakes at once; finish() then reports the keys that nobody asked for, with the nearest known key.
//
// A method without a default returns a valid placeholder (the range's minimum, 1 of the unit, "") after noting a
// problem, so that reading continues; the caller ends with Problems::throw_if_any() before it uses any value. Null
// counts as "no value given" nowhere: `key:` without a value is an error that says what is expected.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/base/units.hpp"
#include "simulator/config/node.hpp"

namespace moesim::config {

struct Dimension;

struct IntegerRange {
  std::int64_t min = 1;
  std::int64_t max = 1'000'000'000;
};

struct NumberRange {
  double min = 0;
  double max = std::numeric_limits<double>::max();
};

class MapReader {
public:
  // `node` must outlive the reader. `path` is the field's own path, "" at the top. When `node` is not a map, that is
  // noted as a problem and every key counts as absent without further complaints.
  MapReader(const Node& node, std::string path, Problems& problems);

  [[nodiscard]] bool has(std::string_view key) const;

  // Values without a unit.
  std::int64_t integer(std::string_view key, IntegerRange range = {});
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, IntegerRange range = {});
  double number(std::string_view key, NumberRange range = {});
  double number_or(std::string_view key, double fallback, NumberRange range = {});
  bool boolean_or(std::string_view key, bool fallback);
  std::string text(std::string_view key);
  std::string text_or(std::string_view key, std::string_view fallback);
  // One of `names`; anything else is an error that lists them, the nearest first.
  std::string choice(std::string_view key, std::span<const std::string_view> names);
  std::string choice_or(std::string_view key, std::string_view fallback, std::span<const std::string_view> names);

  // Values with a unit, all greater than zero (a delay may be 0). A bare number is an error, except 0 for a delay.
  // 80GB, 64 GiB, 512MiB, 900B
  Bytes bytes(std::string_view key);
  // 2us, 1.5 ms, 300ns, 1s; at least 0
  Seconds seconds(std::string_view key);
  Seconds seconds_or(std::string_view key, Seconds fallback);
  // 450GB/s, 1.8 TB/s, 400Gbps, 400Gb/s (bits; divided by 8)
  BytesPerSecond bandwidth(std::string_view key);
  // 989TFLOP/s, 1.979 PFLOP/s; TFLOPS is accepted as a spelling of TFLOP/s
  FlopsPerSecond flops_rate(std::string_view key);

  // The raw value of `key` (marked as known), or nullptr when absent.
  const Node* node(std::string_view key);
  // A reader for a nested map. Absent and required: a problem is noted and the reader is an empty map.
  MapReader map(std::string_view key);
  // A reader for a nested map; absent: an empty map, so that every field takes its default.
  MapReader map_or_empty(std::string_view key);

  // The items of a list of whole numbers, of words each one of `names`, or of maps (their paths are key.0, key.1, ...);
  // absent: none.
  std::vector<std::int64_t> integers_or_empty(std::string_view key, IntegerRange range = {});
  std::vector<std::string> choices_or_empty(std::string_view key, std::span<const std::string_view> names);
  std::vector<MapReader> maps_or_empty(std::string_view key);

  // Makes `alias` read as `key` (Megatron's long names); giving both is a problem.
  // Call it before `key` is read. Paths in messages show the name that the user wrote.
  void alias(std::string_view alias, std::string_view key);

  // Where `key` stands (its value), or the map itself when absent; and its full dotted path.
  [[nodiscard]] Position position_of(std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  // Notes a problem about `key`, at its place; about the map itself when `key` is "".
  void problem(std::string_view key, std::string message);

  // Notes each key that no method asked for: "unknown key; did you mean 'tp'?" or the list of known keys.
  void finish();
  // As finish(), but the keys are returned instead of reported (Hugging Face files carry many that do not matter here).
  [[nodiscard]] std::vector<std::string> unread_keys() const;

private:
  enum class Presence { Required, Optional };

  // A reader of an absent map. Silent when a problem about it is already noted, else every required field is missing.
  MapReader(const Node* map, Position position, std::string path, Problems& problems);

  void know(std::string_view key);
  [[nodiscard]] const Entry* entry(std::string_view key) const;
  const Node* value(std::string_view key, std::string_view expected);
  const Node* list(std::string_view key, std::string_view expected);
  MapReader nested(std::string_view key, Presence presence);
  [[nodiscard]] std::vector<const Entry*> unread_entries() const;
  double quantity(std::string_view key, const Dimension& dimension);

  const Node* map_; // nullptr when there is none to complain about
  Position position_;
  std::string path_;
  Problems* problems_;
  std::vector<std::string> known_;
  std::vector<std::pair<std::string, std::string>> aliases_;
};

// The candidate nearest to `word` by edit distance, or nullopt when none is near (more than a third of its letters
// off).
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

} // namespace moesim::config
