// The timeline of a few passes as text, for a terminal.
#pragma once

#include <optional>
#include <string>

#include "analysis/summary.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// A line per rank. Where all passes start and end at multiples of a unit of time, each unit is a cell: "F0 B0---" with
// the micro-batch where that fits into `columns`, else one letter, "FBB"; "." is idle, "&" a forward and a backward
// together. Odd chunks of a stage have small letters. The last line explains the letters. None: it does not fit.
[[nodiscard]] std::optional<std::string> gantt_text(const record::RunRecord& run, std::size_t columns, Colour colour);

} // namespace moesim::analysis
