// The axes of a sweep, and the points that they span.
#pragma once

#include <string>
#include <vector>

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"
#include "simulator/sweep/plan.hpp"

namespace moesim::sweep {

// Holds where a point sets `field` to one of `values`.
struct Condition {
  std::string field;
  std::vector<config::Node> values;
};
using Conditions = std::vector<Condition>; // hold when all of them do

// One axis varies one field, or several together (zipped).
struct Axis {
  std::vector<std::string> fields;
  std::vector<std::vector<config::Node>> steps; // a value for each field
  Conditions when;                              // of fields of earlier axes; elsewhere the axis leaves its fields alone
};

struct Axes {
  std::vector<Axis> axes;
  std::vector<Conditions> exclusions;
};

// Reads `axes` and `exclude` of a sweep file whose top is `top`, noting what is wrong in `problems`.
[[nodiscard]] Axes read_axes(const config::Node& top, Problems& problems);

// Whether two values mean the same to a scenario: 8 and 8.0 do, 8 and "8" do not.
[[nodiscard]] bool is_same_value(const config::Node& a, const config::Node& b);

// The settings of every point, the last axis varying fastest. Throws InputError at `place` when there are more than
// most_points.
[[nodiscard]] std::vector<std::vector<Setting>> expand(const Axes& axes, const Position& place);

// What is wrong with a field's path, or "".
[[nodiscard]] std::string problem_of_field(const std::string& field);

} // namespace moesim::sweep
