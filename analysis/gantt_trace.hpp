// The timeline of a run for Perfetto (https://ui.perfetto.dev) and chrome://tracing: one process per rank, one thread
// per stream, arrows from sends to receives, counters of memory and throughput. The format is Google's "Trace Event
// Format"; times are microseconds with three decimals, so that Perfetto's nanoseconds are exact.
#pragma once

#include <iosfwd>

#include "analysis/gantt_options.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// Events are sorted by time. The same record and options give the same bytes; the width is of no consequence.
void write_gantt_trace(const record::RunRecord& run, const GanttOptions& options, std::ostream& out);

} // namespace moesim::analysis
