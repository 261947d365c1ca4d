// A sweep file to its plan.
#include "simulator/sweep/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/catalogue.hpp"
#include "simulator/config/field_value.hpp"
#include "simulator/config/map_reader.hpp"
#include "simulator/config/node.hpp"
#include "simulator/sweep/axes.hpp"
#include "simulator/sweep/settings_csv.hpp"

namespace moesim::sweep {
namespace {

using config::Node;

void add_scenario(Plan& plan, const Node& node, const std::string& field, const std::filesystem::path& sweep_file,
                  Problems& problems) {
  if (node.kind != Node::Kind::Scalar)
    return problems.add(node.position, field,
                        config::mismatch(node, "a scenario of the catalogue, or the path of one"));
  try {
    const std::filesystem::path file =
        config::resolve(config::CatalogueKind::Scenario, node.scalar, sweep_file, node.position, field);
    (void)config::load(file);
    plan.scenarios.push_back({node.scalar, std::filesystem::absolute(file).lexically_normal()});
  } catch (const InputError& error) {
    problems.add(error);
  }
}

void read_scenarios(config::MapReader& map, Plan& plan, const std::filesystem::path& file, Problems& problems) {
  const Node* base = map.node("base");
  const Node* scenarios = map.node("scenarios");
  if ((base == nullptr) == (scenarios == nullptr))
    return map.problem(base == nullptr ? "base" : "scenarios",
                       base == nullptr ? "missing; expected a scenario, or a list of them as scenarios: [...]"
                                       : "given beside base; keep one of the two");
  if (base != nullptr)
    return add_scenario(plan, *base, "base", file, problems);
  if (scenarios->kind != Node::Kind::Sequence || scenarios->items.empty())
    return map.problem("scenarios", config::mismatch(*scenarios, "a list of at least one scenario"));
  for (std::size_t at = 0; at < scenarios->items.size(); ++at)
    add_scenario(plan, scenarios->items[at], fmt::format("scenarios.{}", at), file, problems);
}

SettingsTable read_table(const config::MapReader& map, const Node& node, const std::filesystem::path& file) {
  if (node.kind != Node::Kind::Scalar)
    throw InputError(node.position, "settings", config::mismatch(node, "the path of a CSV file"));
  if (map.has("axes") || map.has("exclude"))
    throw InputError(node.position, "settings", "given beside axes; keep one of the two");
  const std::filesystem::path table = (file.parent_path() / node.scalar).lexically_normal();
  std::error_code ignored;
  if (!std::filesystem::exists(table, ignored))
    throw InputError(node.position, "settings",
                     fmt::format("there is no file {}; expected a path relative to the folder of {}", table.string(),
                                 file.string()));
  return read_settings_csv(config::read_file(table), table.string());
}

SettingsTable span_axes(const Axes& axes, const Position& place) {
  SettingsTable table;
  for (const Axis& axis : axes.axes)
    table.fields.insert(table.fields.end(), axis.fields.begin(), axis.fields.end());
  table.points = expand(axes, place);
  if (table.points.empty())
    throw InputError(place, "exclude", "every point is excluded; expected at least one that is not");
  return table;
}

} // namespace

Plan read_plan(const std::filesystem::path& file) {
  const Node top = config::load(file);
  Problems problems;
  config::MapReader map(top, "", problems);
  map.integer("version", {.min = 1, .max = 1});
  Plan plan;
  plan.name = map.text_or("name", file.stem().string());
  read_scenarios(map, plan, file, problems);
  SettingsTable table;
  try {
    if (const Node* settings = map.node("settings"))
      table = read_table(map, *settings, file);
  } catch (const InputError& error) {
    problems.add(error);
  }
  const Axes axes = read_axes(top, problems);
  for (const char* known : {"axes", "exclude"})
    (void)map.node(known);
  map.finish();
  problems.throw_if_any();
  if (!map.has("settings"))
    table = span_axes(axes, map.position_of("axes"));
  if (table.points.size() * plan.scenarios.size() > most_points)
    throw InputError(
        map.position_of("scenarios"), "scenarios",
        fmt::format("scenarios times settings are more than {} points; leave out some", format_count(most_points)));
  plan.fields = std::move(table.fields);
  for (std::size_t scenario = 0; scenario < plan.scenarios.size(); ++scenario)
    for (const std::vector<Setting>& settings : table.points)
      plan.points.push_back({scenario, settings});
  return plan;
}

} // namespace moesim::sweep
