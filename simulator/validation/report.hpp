// What `moesim validate` prints of a file.
#pragma once

#include <span>
#include <string>

#include "simulator/validation/comparison.hpp"

namespace moesim::validation {

// For people: the comparisons, the figures over all and by group, the worst, what was skipped and what was assumed.
[[nodiscard]] std::string to_text(const FileReport& report, const Summary& summary);

// One JSON object.
[[nodiscard]] std::string to_json(const FileReport& report, const Summary& summary);

// A line for each comparison, below one with the names of the columns.
[[nodiscard]] std::string to_csv(std::span<const FileReport> reports);

} // namespace moesim::validation
