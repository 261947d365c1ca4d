#include "simulator/sweep/settings_csv.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"
#include "simulator/config/yaml_text.hpp"
#include "simulator/sweep/axes.hpp"

namespace moesim::sweep {
namespace {

struct Cell {
  std::string text;
  Position position;
};
using Row = std::vector<Cell>;

// Cuts a text into rows of cells.
class CsvReader {
public:
  CsvReader(const std::string& text, const std::string& file) : text_(text), place_{file, 1, 1} {}

  // Empty lines are left out.
  std::vector<Row> rows() {
    std::vector<Row> rows;
    while (at_ < text_.size()) {
      Row row = read_row();
      if (row.size() > 1 || !row.front().text.empty())
        rows.push_back(std::move(row));
    }
    return rows;
  }

private:
  Row read_row() {
    Row row;
    while (true) {
      row.push_back(read_cell());
      const char end = at_ < text_.size() ? take() : '\n';
      if (end == '\n')
        return row;
    }
  }

  Cell read_cell() {
    Cell cell{"", place_};
    if (at_ < text_.size() && text_[at_] == '"')
      return read_quoted_cell();
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n')
      cell.text += take();
    if (cell.text.ends_with('\r'))
      cell.text.pop_back();
    return cell;
  }

  Cell read_quoted_cell() {
    Cell cell{"", place_};
    take();
    while (true) {
      if (at_ == text_.size())
        throw InputError(cell.position, "", "the quotes are not closed; expected \" at the end of the cell");
      const char letter = take();
      if (letter != '"')
        cell.text += letter;
      else if (at_ < text_.size() && text_[at_] == '"')
        cell.text += take();
      else
        break;
    }
    if (at_ < text_.size() && text_[at_] == '\r')
      take();
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n')
      throw InputError(place_, "", "text after a closing quote; expected a comma or the end of the line");
    return cell;
  }

  char take() {
    const char letter = text_[at_++];
    ++place_.column;
    if (letter == '\n')
      place_ = {place_.file, place_.line + 1, 1};
    return letter;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  Position place_;
};

std::vector<std::string> read_header(const Row& header, Problems& problems) {
  std::vector<std::string> fields;
  for (const Cell& cell : header) {
    if (const std::string problem = problem_of_field(cell.text); !problem.empty())
      problems.add(cell.position, "", problem);
    else if (std::ranges::find(fields, cell.text) != fields.end())
      problems.add(cell.position, cell.text, "has a column already; keep one of the two");
    fields.push_back(cell.text);
  }
  return fields;
}

// The setting of a cell, whose value comes back as config::set() understands it.
Setting setting_of(const std::string& field, const Cell& cell, Problems& problems) {
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
  const std::vector<Row> rows = CsvReader(text, file).rows();
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
