// Axes to points: pure.
#include "simulator/sweep/axes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/config/number.hpp"
#include "simulator/config/yaml_text.hpp"

namespace moesim::sweep {
namespace {

using config::Node;

// Combinations that are looked at before exclusions: what a second or two can do.
constexpr std::size_t most_combinations = 100 * most_points;

bool is_plain_number(const Node& node) {
  return node.kind == Node::Kind::Scalar && !node.quoted && config::is_number(node.scalar);
}

struct Choice {
  const std::string* field;
  const Node* value;
};

bool holds(const Condition& condition, const std::vector<Choice>& choices) {
  return std::ranges::any_of(choices, [&](const Choice& choice) {
    return *choice.field == condition.field && std::ranges::any_of(condition.values, [&](const Node& value) {
      return is_same_value(*choice.value, value);
    });
  });
}

bool hold(const Conditions& conditions, const std::vector<Choice>& choices) {
  return std::ranges::all_of(conditions, [&](const Condition& condition) { return holds(condition, choices); });
}

class Expansion {
public:
  Expansion(const Axes& axes, const Position& place) : axes_(axes), place_(place) {}

  std::vector<std::vector<Setting>> points() {
    add_points(0);
    return std::move(points_);
  }

private:
  // Every choice of the axes from `next` on, beside those made before.
  void add_points(std::size_t next) {
    if (next == axes_.axes.size())
      return add_point();
    const Axis& axis = axes_.axes[next];
    if (!hold(axis.when, choices_))
      return add_points(next + 1);
    for (const std::vector<Node>& step : axis.steps) {
      for (std::size_t at = 0; at < step.size(); ++at)
        choices_.push_back({&axis.fields[at], &step[at]});
      add_points(next + 1);
      choices_.resize(choices_.size() - step.size());
    }
  }

  void add_point() {
    if (++combinations_ > most_combinations)
      refuse();
    const auto excludes = [&](const Conditions& exclusion) { return hold(exclusion, choices_); };
    if (std::ranges::any_of(axes_.exclusions, excludes))
      return;
    if (points_.size() == most_points)
      refuse();
    std::vector<Setting> settings;
    for (const Choice& choice : choices_)
      settings.push_back({*choice.field, config::flow_text(*choice.value)});
    points_.push_back(std::move(settings));
  }

  [[noreturn]] void refuse() const {
    throw InputError(place_, "axes",
                     fmt::format("the axes span more than {} points; leave out values, or exclude points",
                                 format_count(most_points)));
  }

  const Axes& axes_;
  const Position& place_;
  std::size_t combinations_ = 0;
  std::vector<Choice> choices_;
  std::vector<std::vector<Setting>> points_;
};

} // namespace

std::vector<std::string> Point::assignments() const {
  std::vector<std::string> result;
  for (const Setting& setting : settings)
    result.push_back(setting.assignment());
  return result;
}

bool is_same_value(const Node& a, const Node& b) {
  if (is_plain_number(a) && is_plain_number(b))
    return config::number_value(a.scalar) == config::number_value(b.scalar);
  return config::flow_text(a) == config::flow_text(b);
}

std::vector<std::vector<Setting>> expand(const Axes& axes, const Position& place) {
  return Expansion(axes, place).points();
}

} // namespace moesim::sweep
