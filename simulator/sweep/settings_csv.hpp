// Settings as a table: a column for each field, a row for each point, cells in YAML, an empty cell leaves the field
// alone.
#pragma once

#include <string>
#include <vector>

#include "simulator/sweep/plan.hpp"

namespace moesim::sweep {

struct SettingsTable {
  std::vector<std::string> fields;
  std::vector<std::vector<Setting>> points;
};

// Reads CSV (RFC 4180: commas, cells in double quotes where they hold commas, quotes or line ends). `file` is named in
// messages. Throws InputError with all problems: no header, a name that is no field or comes twice, rows of another
// length, cells that are no YAML.
[[nodiscard]] SettingsTable read_settings_csv(const std::string& text, const std::string& file);

} // namespace moesim::sweep
