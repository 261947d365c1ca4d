#include "simulator/sweep/value_range.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "simulator/config/number.hpp"
#include "simulator/sweep/plan.hpp"

namespace moesim::sweep {
namespace {

constexpr config::NumberRange any_number{.min = std::numeric_limits<double>::lowest()};

// Above 2^53 a double no longer holds every whole number.
constexpr double most_exact = 9'007'199'254'740'992;

bool is_whole(const config::Node* node) {
  return node != nullptr && config::is_integer(node->scalar);
}

config::Node number(double value, bool whole, const Position& position) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = whole ? fmt::format("{:.0f}", value) : fmt::format("{:.12g}", value);
  node.position = position;
  return node;
}

struct Range {
  double from = 0;
  double to = 0;
  double stride = 0; // added, or multiplied by
  bool is_geometric = false;

  [[nodiscard]] double value(double at) const {
    return is_geometric ? from * std::pow(stride, at) : from + at * stride;
  }
};

// What is wrong with a range, and the key to blame.
std::pair<const char*, std::string> problem_of(const Range& range) {
  if (range.to < range.from)
    return {"to", fmt::format("{} is less than from, {}; expected at least that", range.to, range.from)};
  if (!range.is_geometric && range.stride <= 0)
    return {"step", fmt::format("{} does not lead upwards; expected a number greater than 0", range.stride)};
  if (range.is_geometric && range.stride <= 1)
    return {"factor", fmt::format("{} does not lead upwards; expected a number greater than 1", range.stride)};
  if (range.is_geometric && range.from <= 0)
    return {"from",
            fmt::format("{} times a factor never gets to {}; expected a number greater than 0", range.from, range.to)};
  const double count = range.is_geometric ? std::log(range.to / range.from) / std::log(range.stride)
                                          : (range.to - range.from) / range.stride;
  if (count >= static_cast<double>(most_points) || std::abs(range.to) > most_exact)
    return {"to", "the range is too large; expected at most 100,000 values, up to 2^53"};
  return {"", ""};
}

} // namespace

std::vector<config::Node> read_range(config::MapReader& map) {
  const std::size_t are_given = static_cast<std::size_t>(map.has("step")) + static_cast<std::size_t>(map.has("factor"));
  if (are_given != 1) {
    map.problem("", "a range needs either a step or a factor; expected such as {from: 1, to: 8, step: 1} or "
                    "{from: 1, to: 64, factor: 2}");
    for (const char* key : {"from", "to", "step", "factor"})
      (void)map.node(key);
    return {};
  }
  Range range;
  range.is_geometric = map.has("factor");
  const char* stride = range.is_geometric ? "factor" : "step";
  bool is_sound = true;
  for (const auto& [key, value] : {std::pair{"from", &range.from}, {"to", &range.to}, {stride, &range.stride}}) {
    *value = map.number(key, any_number);
    is_sound = is_sound && map.has(key) && config::is_number(map.node(key)->scalar) && std::isfinite(*value);
  }
  if (!is_sound)
    return {};
  if (const auto [key, problem] = problem_of(range); !problem.empty()) {
    map.problem(key, problem);
    return {};
  }
  const bool whole = is_whole(map.node("from")) && is_whole(map.node(stride));
  const double last = range.to + 1e-9 * (range.is_geometric ? range.to : range.stride);
  std::vector<config::Node> values;
  for (double at = 0; range.value(at) <= last; ++at)
    values.push_back(number(range.value(at), whole, map.position_of("from")));
  return values;
}

} // namespace moesim::sweep
