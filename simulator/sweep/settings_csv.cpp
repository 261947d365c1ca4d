#include "simulator/sweep/settings_csv.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/csv_text.hpp"
#include "simulator/config/node.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/sweep/axes.hpp"

namespace moesim::sweep {
namespace {

std::vector<std::string> read_header(const config::CsvRow& header, Problems& problems) {
  std::vector<std::string> fields;
  for (const config::CsvCell& cell : header) {
    if (const std::string problem = problem_of_field(cell.text); !problem.empty())
      problems.add(cell.position, "", problem);
    else if (std::ranges::find(fields, cell.text) != fields.end())
      problems.add(cell.position, cell.text, "has a column already; keep one of the two");
    fields.push_back(cell.text);
  }
  return fields;
}

// The setting of a cell, whose value comes back as config::set() understands it.
Setting setting_of(const std::string& field, const config::CsvCell& cell, Problems& problems) {
  try {
    config::Node top;
    config::set(top, "value=" + cell.text);
    return {field, config::flow_text(*top.find("value"))};
  } catch (const InputError&) { // its places are not those of the table
    problems.add(cell.position, field, "the cell is not a value in YAML; expected such as 8, 1f1b or {tp: true}");
    return {};
  }
}

} // namespace

SettingsTable read_settings_csv(const std::string& text, const std::string& file) {
  const std::vector<config::CsvRow> rows = config::read_csv(text, file);
  Problems problems;
  if (rows.size() < 2)
    throw InputError({file}, "",
                     "the table has no rows; expected a line of fields, and a line of values for each point");
  if (rows.size() > most_points)
    throw InputError({file}, "",
                     fmt::format("the table has {} rows; expected at most {}",
                                 format_count(static_cast<std::int64_t>(rows.size())), format_count(most_points)));
  SettingsTable table{read_header(rows.front(), problems), {}};
  problems.throw_if_any();
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
    std::vector<Setting>& settings = table.points.emplace_back();
    if (row->size() != table.fields.size()) {
      problems.add(
          row->front().position, "",
          fmt::format("the row has {} cells; expected {}, one for each field", row->size(), table.fields.size()));
      continue;
    }
    for (std::size_t at = 0; at < row->size(); ++at)
      if (!(*row)[at].text.empty())
        settings.push_back(setting_of(table.fields[at], (*row)[at], problems));
  }
  problems.throw_if_any();
  return table;
}

} // namespace moesim::sweep
