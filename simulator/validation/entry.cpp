#include "simulator/validation/entry.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "simulator/config/field_value.hpp"
#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"

namespace moesim::validation {
namespace {

using Kind = config::Node::Kind;

const config::Node* field(const config::Node& map, std::string_view key) {
  const config::Node* value = map.find(key);
  if (value != nullptr && value->kind != Kind::Null)
    return value;
  const config::Node* extra = map.find("extra");
  value = extra == nullptr ? nullptr : extra->find(key);
  return value == nullptr || value->kind == Kind::Null ? nullptr : value;
}

template <class T>
std::optional<T> value_of(const config::Reading<T>& reading, std::string_view key) {
  if (!reading.value)
    throw Unpredictable(fmt::format("{}: {}", key, reading.problem));
  return reading.value;
}

// A table is well formed when each of its points has a value for each column.
void check_table(const config::Node& measured, const std::string& path, Problems& problems) {
  const config::Node* columns = measured.find("columns");
  const config::Node* points = measured.find("points");
  if (columns == nullptr && points == nullptr)
    return;
  if (columns == nullptr || points == nullptr || columns->kind != Kind::Sequence || points->kind != Kind::Sequence) {
    problems.add(measured.position, path, "a table has a list of columns and a list of points; give both");
    return;
  }
  for (std::size_t at = 0; at < points->items.size(); ++at) {
    const config::Node& point = points->items[at];
    const std::string place = fmt::format("{}.points.{}", path, at);
    if (point.kind != Kind::Sequence)
      problems.add(point.position, place, config::mismatch(point, "a list with a value for each column"));
    else if (point.items.size() != columns->items.size())
      problems.add(point.position, place,
                   fmt::format("{} values for {} columns; give one for each, or null", point.items.size(),
                               columns->items.size()));
  }
}

void read_source(config::MapReader source, Entry& entry) {
  entry.source = source.text("title");
  const config::Node* where = source.node("where");
  entry.where = where == nullptr ? "" : where->scalar;
}

std::string read_reason(config::MapReader& map) {
  if (map.boolean_or("usable", true))
    return "";
  return map.text_or("unusable_reason", "marked as not usable");
}

// What `key` holds, when it is a map.
config::Node read_map(config::MapReader& map, std::string_view key) {
  const config::Node* node = map.node(key);
  if (node != nullptr && node->kind == Kind::Map)
    return *node;
  map.problem(key, node == nullptr ? "missing; expected a map of fields" : config::mismatch(*node, "a map of fields"));
  return {};
}

Entry read_entry(const config::Node& item, const std::string& path, Problems& problems) {
  config::MapReader map(item, path, problems);
  if (item.kind != Kind::Map)
    return {};
  Entry entry;
  entry.id = map.text("id");
  read_source(map.map("source"), entry);
  entry.system = map.text("system");
  entry.config = read_map(map, "config");
  entry.measured = read_map(map, "measured");
  entry.unusable = read_reason(map);
  check_table(entry.measured, map.path_of("measured"), problems);
  return entry;
}

} // namespace

std::optional<double> number(const config::Node& map, std::string_view key) {
  const config::Node* node = field(map, key);
  return node == nullptr ? std::nullopt : value_of(config::read_number(*node, {.min = -1e300, .max = 1e300}), key);
}

std::optional<std::int64_t> integer(const config::Node& map, std::string_view key) {
  const config::Node* node = field(map, key);
  return node == nullptr ? std::nullopt
                         : value_of(config::read_integer(*node, {.min = 0, .max = 1'000'000'000'000}), key);
}

std::optional<std::string> text(const config::Node& map, std::string_view key) {
  const config::Node* node = field(map, key);
  if (node == nullptr)
    return std::nullopt;
  if (node->kind != Kind::Scalar)
    throw Unpredictable(fmt::format("{}: {}", key, config::mismatch(*node, "a text")));
  return node->scalar;
}

std::optional<bool> flag(const config::Node& map, std::string_view key) {
  const config::Node* node = field(map, key);
  return node == nullptr ? std::nullopt : value_of(config::read_boolean(*node), key);
}

bool is_too_coarse(std::string_view printed) {
  const std::size_t point = printed.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : printed.size() - point - 1;
  const double rounding = 0.5 * std::pow(10.0, -static_cast<double>(decimals));
  const auto value = config::number_value(printed);
  return !value || rounding > 0.1 * std::abs(*value);
}

std::size_t Entry::point_count() const {
  const config::Node* points = measured.find("points");
  return points == nullptr ? 0 : points->items.size();
}

Entry Entry::at_point(std::size_t point) const {
  const config::Node& columns = *measured.find("columns");
  const config::Node& values = measured.find("points")->items.at(point);
  Entry row{fmt::format("{}#{}", id, point), source, where, system, config, {}, unusable};
  row.measured.kind = Kind::Map;
  for (std::size_t at = 0; at < columns.items.size(); ++at) {
    const std::string& name = columns.items[at].scalar;
    row.measured.entries.push_back({name, columns.items[at].position, values.items[at]});
    std::erase_if(row.config.entries, [&](const config::Entry& entry) { return entry.key == name; });
    row.config.entries.push_back(row.measured.entries.back());
  }
  return row;
}

std::vector<Entry> read_entries(const std::filesystem::path& file) {
  const config::Node list = config::parse_yaml_list(config::read_file(file), file.string());
  Problems problems;
  std::vector<Entry> entries;
  std::set<std::string> ids;
  for (std::size_t at = 0; at < list.items.size(); ++at) {
    entries.push_back(read_entry(list.items[at], fmt::to_string(at), problems));
    const std::string& id = entries.back().id;
    if (!id.empty() && !ids.insert(id).second)
      problems.add(list.items[at].find("id")->position, fmt::format("{}.id", at),
                   fmt::format("'{}' is the id of an entry above; use each once", config::shown(id)));
  }
  problems.throw_if_any();
  return entries;
}

} // namespace moesim::validation
