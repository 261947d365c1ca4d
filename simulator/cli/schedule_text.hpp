// What `moesim schedule` prints.
#pragma once

#include <string>

#include "analysis/summary.hpp"
#include "simulator/run/schedule_record.hpp"

namespace moesim::cli {

// One JSON object.
[[nodiscard]] std::string to_json(const run::TimedSchedule& schedule);

// For people: figures, a line per stage, and the passes themselves where they fit into `columns`.
[[nodiscard]] std::string to_text(const run::TimedSchedule& schedule, std::size_t columns, analysis::Colour colour);

} // namespace moesim::cli
