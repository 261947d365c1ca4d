// The sections `axes` and `exclude` of a sweep file.
#include "simulator/sweep/axes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/quote.hpp"
#include "simulator/sweep/value_range.hpp"

namespace moesim::sweep {
namespace {

using config::Node;

constexpr std::string_view expected_axis =
    "a list of values, a range such as {from: 1, to: 8, step: 1}, or {zip: {field: [...], field: [...]}}";

class AxesReader {
public:
  explicit AxesReader(Problems& problems) : problems_(&problems) {}

  void add_axis(const config::Entry& entry) {
    place_ = entry.key_position;
    name_ = fmt::format("axes.{}", config::shown(entry.key));
    const Node& value = entry.value;
    if (value.kind == Node::Kind::Sequence)
      return add({{entry.key}, steps_of({&value}), {}});
    if (value.kind != Node::Kind::Map)
      return problems_->add(value.position, name_, config::mismatch(value, expected_axis));
    config::MapReader map(value, name_, *problems_);
    Axis axis;
    if (const Node* zipped = map.node("zip")) {
      axis = read_zipped(*zipped);
    } else if (const Node* values = map.node("values")) {
      axis.fields = {entry.key};
      if (values->kind == Node::Kind::Sequence)
        axis.steps = steps_of({values});
      else
        map.problem("values", config::mismatch(*values, "a list of values"));
    } else {
      axis.fields = {entry.key};
      for (Node& number : read_range(map))
        axis.steps.push_back({std::move(number)});
    }
    if (const Node* when = map.node("when"))
      axis.when = read_conditions(*when, name_ + ".when", "no axis before this one sets it");
    map.finish();
    add(std::move(axis));
  }

  void add_exclusion(const Node& conditions, const std::string& path) {
    axes_.exclusions.push_back(read_conditions(conditions, path, "no axis sets it"));
    if (conditions.kind == Node::Kind::Map && conditions.entries.empty())
      problems_->add(conditions.position, path, "this would exclude every point; expected at least one field");
  }

  Axes axes() { return std::move(axes_); }

private:
  // One step for each place of the lists, which are equally long.
  static std::vector<std::vector<Node>> steps_of(const std::vector<const Node*>& lists) {
    std::vector<std::vector<Node>> steps(lists.front()->items.size());
    for (std::size_t at = 0; at < steps.size(); ++at)
      for (const Node* list : lists)
        steps[at].push_back(list->items[at]);
    return steps;
  }

  Axis read_zipped(const Node& zipped) {
    const std::string path = name_ + ".zip";
    if (zipped.kind != Node::Kind::Map || zipped.entries.empty()) {
      problems_->add(zipped.position, path, config::mismatch(zipped, "a map of fields to lists of the same length"));
      return {};
    }
    Axis axis;
    std::vector<const Node*> lists;
    for (const config::Entry& entry : zipped.entries) {
      const std::string field = fmt::format("{}.{}", path, config::shown(entry.key));
      if (entry.value.kind != Node::Kind::Sequence) {
        problems_->add(entry.value.position, field, config::mismatch(entry.value, "a list of values"));
        continue;
      }
      if (!lists.empty() && lists.front()->items.size() != entry.value.items.size()) {
        problems_->add(entry.value.position, field,
                       fmt::format("has {} values beside the {} of {}; zipped lists have the same length",
                                   entry.value.items.size(), lists.front()->items.size(), axis.fields.front()));
        continue;
      }
      axis.fields.push_back(entry.key);
      lists.push_back(&entry.value);
    }
    if (!lists.empty())
      axis.steps = steps_of(lists);
    return axis;
  }

  Conditions read_conditions(const Node& node, const std::string& path, std::string_view otherwise) {
    if (node.kind != Node::Kind::Map) {
      problems_->add(node.position, path, config::mismatch(node, "a map of fields to a value or a list of values"));
      return {};
    }
    Conditions conditions;
    for (const config::Entry& entry : node.entries) {
      if (std::ranges::find(fields_, entry.key) == fields_.end())
        problems_->add(entry.key_position, fmt::format("{}.{}", path, config::shown(entry.key)),
                       fmt::format("{}; expected one of {}", otherwise,
                                   fields_.empty() ? "none" : fmt::format("{}", fmt::join(fields_, ", "))));
      const bool is_list = entry.value.kind == Node::Kind::Sequence;
      conditions.push_back({entry.key, is_list ? entry.value.items : std::vector<Node>{entry.value}});
    }
    return conditions;
  }

  void add(Axis axis) {
    for (const std::string& field : axis.fields) {
      if (const std::string problem = problem_of_field(field); !problem.empty())
        problems_->add(place_, name_, problem);
      else if (std::ranges::find(fields_, field) != fields_.end())
        problems_->add(place_, name_, fmt::format("'{}' has an axis already; keep one of the two", field));
      fields_.push_back(field);
    }
    if (axis.steps.empty() && problems_->empty())
      problems_->add(place_, name_, "has no values; expected at least one");
    axes_.axes.push_back(std::move(axis));
  }

  Problems* problems_;
  Position place_;   // of the axis being read
  std::string name_; // and its path
  std::vector<std::string> fields_;
  Axes axes_;
};

} // namespace

std::string problem_of_field(const std::string& field) {
  const bool has_gap = field.empty() || field.front() == '.' || field.back() == '.' || field.find("..") != field.npos;
  if (has_gap || field.find_first_of("=/ \t") != field.npos)
    return fmt::format("'{}' is not the path of a field; expected such as training.micro_batch_size",
                       config::shown(field));
  return "";
}

Axes read_axes(const Node& top, Problems& problems) {
  AxesReader reader(problems);
  config::MapReader map(top, "", problems);
  if (const Node* axes = map.node("axes")) {
    if (axes->kind != Node::Kind::Map)
      map.problem("axes", config::mismatch(*axes, "a map of fields to lists of values"));
    for (const config::Entry& entry : axes->entries)
      reader.add_axis(entry);
  }
  if (const Node* exclusions = map.node("exclude")) {
    if (exclusions->kind != Node::Kind::Sequence)
      map.problem("exclude", config::mismatch(*exclusions, "a list of maps of fields to values"));
    for (std::size_t at = 0; at < exclusions->items.size(); ++at)
      reader.add_exclusion(exclusions->items[at], fmt::format("exclude.{}", at));
  }
  return reader.axes();
}

} // namespace moesim::sweep
