// Text as a table (RFC 4180: commas, cells in double quotes where they hold commas, quotes or line ends).
#pragma once

#include <string>
#include <vector>

#include "simulator/base/input_error.hpp"

namespace moesim::config {

struct CsvCell {
  std::string text; // without its quotes
  Position position;
};
using CsvRow = std::vector<CsvCell>; // at least one cell

// The rows of a table, the header among them; empty lines are left out. `file` is named in messages. Throws InputError
// at quotes that are not closed, or with text after them.
[[nodiscard]] std::vector<CsvRow> read_csv(const std::string& text, const std::string& file);

} // namespace moesim::config
