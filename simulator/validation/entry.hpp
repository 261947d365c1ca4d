// Measurements as they are published: a YAML file is a list of entries {id, source: {title}, system, config, measured},
// in which null means "not printed". What is measured is a few figures, or a table {columns, points}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/config/node.hpp"

namespace moesim::validation {

// Why something cannot be predicted, in a line for the list of what was skipped.
class Unpredictable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

// The value of a field of `map`, or, where that has none, of its field `extra`; none where it is null or absent. Throws
// Unpredictable when it is something else.
[[nodiscard]] std::optional<double> number(const config::Node& map, std::string_view key);
[[nodiscard]] std::optional<std::int64_t> integer(const config::Node& map, std::string_view key);
[[nodiscard]] std::optional<std::string> text(const config::Node& map, std::string_view key);
[[nodiscard]] std::optional<bool> flag(const config::Node& map, std::string_view key);

// Whether rounding alone can make a figure a tenth larger or smaller than it was: 0.01 and 0.0 say too little.
[[nodiscard]] bool is_too_coarse(std::string_view printed);

struct Entry {
  std::string id;
  std::string source; // its title
  std::string where;  // in the source; may be empty
  std::string system; // as the source describes it
  config::Node config;
  config::Node measured;
  std::string unusable; // why it counts nowhere; empty: it does

  // The entry of a row of a table: a column replaces the field of `config` that has its name.
  [[nodiscard]] Entry at_point(std::size_t point) const;
  [[nodiscard]] std::size_t point_count() const; // 0: measured is no table
};

// The entries of a file, in its order. Throws InputError with all problems: what is no entry, an id that is there
// twice, a row with more or fewer values than columns.
[[nodiscard]] std::vector<Entry> read_entries(const std::filesystem::path& file);

} // namespace moesim::validation
