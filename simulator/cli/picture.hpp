// Timelines as files, in the format that the name of the file asks for.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "analysis/gantt_options.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::cli {

inline constexpr const char* picture_formats =
    "FILE.html: an interactive page; FILE.svg: a picture; FILE.json or FILE.json.gz: a trace for "
    "https://ui.perfetto.dev or chrome://tracing";

// Declares --width, of a picture.
void add_width(CLI::App& command, double& width);

// Throws CLI::ValidationError when the ending says no format, ResultFileError when the file cannot be written.
void check_picture(const std::string& output);
// Requires check_picture(output) to have passed.
void write_picture(const std::string& output, const record::RunRecord& run, const analysis::GanttOptions& options);

} // namespace moesim::cli
