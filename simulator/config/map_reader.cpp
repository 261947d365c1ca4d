#include "simulator/config/map_reader.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/field_value.hpp"
#include "simulator/config/quantity.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::config {
namespace {

constexpr std::string_view expected_map = "a map of fields";

const Node& empty_map() {
  static const Node map = [] {
    Node node;
    node.kind = Node::Kind::Map;
    return node;
  }();
  return map;
}

std::string joined(const std::string& path, std::string_view name) {
  if (path.empty() || name.empty())
    return path.empty() ? std::string(name) : path;
  return fmt::format("{}.{}", path, name);
}

} // namespace

MapReader::MapReader(const Node& node, std::string path, Problems& problems)
    : MapReader(node.kind == Node::Kind::Map ? &node : nullptr, node.position, std::move(path), problems) {
  if (map_ == nullptr)
    problems.add(position_, path_, mismatch(node, expected_map));
}

MapReader::MapReader(const Node* map, Position position, std::string path, Problems& problems)
    : map_(map), position_(std::move(position)), path_(std::move(path)), problems_(&problems) {}

bool MapReader::has(std::string_view key) const {
  return entry(key) != nullptr;
}

std::int64_t MapReader::integer(std::string_view key, IntegerRange range) {
  const Node* node = value(key, expectation(range));
  if (node == nullptr)
    return range.min;
  const Reading<std::int64_t> reading = read_integer(*node, range);
  if (!reading.value)
    problem(key, reading.problem);
  return reading.value.value_or(range.min);
}

std::int64_t MapReader::integer_or(std::string_view key, std::int64_t fallback, IntegerRange range) {
  know(key);
  return has(key) ? integer(key, range) : fallback;
}

double MapReader::number(std::string_view key, NumberRange range) {
  const Node* node = value(key, expectation(range));
  if (node == nullptr)
    return range.min;
  const Reading<double> reading = read_number(*node, range);
  if (!reading.value)
    problem(key, reading.problem);
  return reading.value.value_or(range.min);
}

double MapReader::number_or(std::string_view key, double fallback, NumberRange range) {
  know(key);
  return has(key) ? number(key, range) : fallback;
}

bool MapReader::boolean_or(std::string_view key, bool fallback) {
  know(key);
  const Node* node = has(key) ? value(key, "true or false") : nullptr;
  if (node == nullptr)
    return fallback;
  const Reading<bool> reading = read_boolean(*node);
  if (!reading.value)
    problem(key, reading.problem);
  return reading.value.value_or(fallback);
}

std::string MapReader::text(std::string_view key) {
  const Node* node = value(key, "a text");
  if (node == nullptr)
    return "";
  if (node->kind != Node::Kind::Scalar || node->scalar.empty())
    problem(key, mismatch(*node, "a text"));
  return node->scalar;
}

std::string MapReader::text_or(std::string_view key, std::string_view fallback) {
  know(key);
  return has(key) ? text(key) : std::string(fallback);
}

std::string MapReader::choice(std::string_view key, std::span<const std::string_view> names) {
  const Node* node = value(key, expectation(names));
  if (node == nullptr)
    return std::string(names.front());
  const Reading<std::string> reading = read_choice(*node, names);
  if (!reading.value)
    problem(key, reading.problem);
  return reading.value.value_or(std::string(names.front()));
}

std::string MapReader::choice_or(std::string_view key, std::string_view fallback,
                                 std::span<const std::string_view> names) {
  know(key);
  return has(key) ? choice(key, names) : std::string(fallback);
}

Bytes MapReader::bytes(std::string_view key) {
  return Bytes(quantity(key, size_dimension));
}

Seconds MapReader::seconds(std::string_view key) {
  return Seconds(quantity(key, time_dimension));
}

Seconds MapReader::seconds_or(std::string_view key, Seconds fallback) {
  know(key);
  return has(key) ? seconds(key) : fallback;
}

BytesPerSecond MapReader::bandwidth(std::string_view key) {
  return BytesPerSecond(quantity(key, bandwidth_dimension));
}

FlopsPerSecond MapReader::flops_rate(std::string_view key) {
  return FlopsPerSecond(quantity(key, flops_rate_dimension));
}

const Node* MapReader::node(std::string_view key) {
  know(key);
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

MapReader MapReader::map(std::string_view key) {
  return nested(key, Presence::Required);
}

MapReader MapReader::map_or_empty(std::string_view key) {
  return nested(key, Presence::Optional);
}

std::vector<std::int64_t> MapReader::integers_or_empty(std::string_view key, IntegerRange range) {
  std::vector<std::int64_t> values;
  const Node* node = list(key, fmt::format("a list, each item {}", expectation(range)));
  for (std::size_t at = 0; node != nullptr && at < node->items.size(); ++at) {
    const Reading<std::int64_t> reading = read_integer(node->items[at], range);
    if (!reading.value)
      problems_->add(node->items[at].position, fmt::format("{}.{}", path_of(key), at), reading.problem);
    values.push_back(reading.value.value_or(range.min));
  }
  return values;
}

std::vector<std::string> MapReader::choices_or_empty(std::string_view key, std::span<const std::string_view> names) {
  std::vector<std::string> values;
  const Node* node = list(key, fmt::format("a list, each item {}", expectation(names)));
  for (std::size_t at = 0; node != nullptr && at < node->items.size(); ++at) {
    const Reading<std::string> reading = read_choice(node->items[at], names);
    if (!reading.value)
      problems_->add(node->items[at].position, fmt::format("{}.{}", path_of(key), at), reading.problem);
    else
      values.push_back(*reading.value);
  }
  return values;
}

std::vector<MapReader> MapReader::maps_or_empty(std::string_view key) {
  std::vector<MapReader> readers;
  const Node* node = list(key, "a list of maps");
  for (std::size_t at = 0; node != nullptr && at < node->items.size(); ++at)
    readers.emplace_back(node->items[at], fmt::format("{}.{}", path_of(key), at), *problems_);
  return readers;
}

void MapReader::alias(std::string_view alias, std::string_view key) {
  if (has(alias) && has(key))
    problem(alias, fmt::format("given twice, also as '{}' at line {}; keep one of the two", entry(key)->key,
                               entry(key)->key_position.line));
  aliases_.emplace_back(alias, key);
}

Position MapReader::position_of(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? position_ : found->value.position;
}

std::string MapReader::path_of(std::string_view key) const {
  const Entry* found = entry(key);
  return joined(path_, shown(found == nullptr ? key : std::string_view(found->key)));
}

void MapReader::problem(std::string_view key, std::string message) {
  problems_->add(position_of(key), path_of(key), std::move(message));
}

void MapReader::finish() {
  std::vector<std::string> candidates = known_;
  for (const auto& [alias, key] : aliases_)
    candidates.push_back(alias);
  for (const Entry* unread : unread_entries()) {
    const auto near = nearest(unread->key, candidates);
    std::string hint =
        near ? fmt::format("did you mean '{}'?", *near) : fmt::format("known keys are {}", fmt::join(known_, ", "));
    if (known_.empty())
      hint = "expected no keys here";
    const std::string name = shown(unread->key);
    problems_->add(unread->key_position, joined(path_, name), fmt::format("unknown key '{}'; {}", name, hint));
  }
}

std::vector<std::string> MapReader::unread_keys() const {
  std::vector<std::string> keys;
  for (const Entry* unread : unread_entries())
    keys.push_back(unread->key);
  return keys;
}

std::vector<const Entry*> MapReader::unread_entries() const {
  std::vector<const Entry*> unread;
  if (map_ == nullptr)
    return unread;
  const auto is_known = [&](const std::string& key) {
    return std::find(known_.begin(), known_.end(), key) != known_.end() ||
           std::any_of(aliases_.begin(), aliases_.end(), [&](const auto& alias) { return alias.first == key; });
  };
  for (const Entry& candidate : map_->entries)
    if (!is_known(candidate.key))
      unread.push_back(&candidate);
  return unread;
}

void MapReader::know(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end())
    known_.emplace_back(key);
}

const Entry* MapReader::entry(std::string_view key) const {
  if (map_ == nullptr)
    return nullptr;
  const auto means_key = [&](const Entry& candidate) {
    return candidate.key == key || std::any_of(aliases_.begin(), aliases_.end(), [&](const auto& alias) {
             return alias.second == key && alias.first == candidate.key;
           });
  };
  const auto found = std::find_if(map_->entries.begin(), map_->entries.end(), means_key);
  return found == map_->entries.end() ? nullptr : &*found;
}

// The value of a key that must be there; nullptr, with a problem noted, when it is absent or null.
const Node* MapReader::value(std::string_view key, std::string_view expected) {
  know(key);
  const Entry* found = entry(key);
  if (found == nullptr) {
    if (map_ != nullptr)
      problem(key, fmt::format("missing; expected {}", expected));
    return nullptr;
  }
  if (found->value.kind == Node::Kind::Null) {
    problem(key, mismatch(found->value, expected));
    return nullptr;
  }
  return &found->value;
}

const Node* MapReader::list(std::string_view key, std::string_view expected) {
  know(key);
  const Node* node = has(key) ? value(key, expected) : nullptr;
  if (node == nullptr || node->kind == Node::Kind::Sequence)
    return node;
  problem(key, mismatch(*node, expected));
  return nullptr;
}

MapReader MapReader::nested(std::string_view key, Presence presence) {
  know(key);
  if (const Entry* found = entry(key))
    return {found->value, path_of(key), *problems_};
  const bool report = presence == Presence::Required && map_ != nullptr;
  if (report)
    problem(key, fmt::format("missing; expected {}", expected_map));
  const bool silent = presence == Presence::Required || map_ == nullptr;
  return {silent ? nullptr : &empty_map(), position_, path_of(key), *problems_};
}

double MapReader::quantity(std::string_view key, const Dimension& dimension) {
  constexpr double placeholder = 1;
  const Node* node = value(key, dimension.expected);
  if (node == nullptr)
    return placeholder;
  const Reading<double> reading = read_quantity(*node, dimension);
  if (!reading.value)
    problem(key, reading.problem);
  return reading.value.value_or(placeholder);
}

} // namespace moesim::config
