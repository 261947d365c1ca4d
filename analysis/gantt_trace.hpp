// The timeline of a run for Perfetto (https://ui.perfetto.dev) and chrome://tracing: one process per rank, with a
// thread for its passes, one for its bubbles and one per stream, arrows from sends to receives, counters of memory and
// throughput. The format is Google's "Trace Event Format"; times are microseconds with three decimals, so that
// Perfetto's nanoseconds are exact.
#pragma once

#include <functional>
#include <string_view>

#include "analysis/gantt_options.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// Events are sorted by time, and slices of a thread nest. What is not entirely before `from` or after `to` is shown.
// The same record and options give the same bytes; the width is of no consequence. The text goes to `write` in pieces
// of a megabyte: nothing is kept of it.
void write_gantt_trace(const record::RunRecord& run, const GanttOptions& options,
                       const std::function<void(std::string_view)>& write);

} // namespace moesim::analysis
