// Reads and writes result files (HDF5). The only folder that includes HDF5 headers.
#pragma once

#include <filesystem>
#include <stdexcept>

#include "simulator/record/run_record.hpp"

namespace moesim::record {

// A result file that cannot be written or read; what() names the path and the reason in one line.
class ResultFileError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

// Fails early, before a long simulation, when `path` cannot be written (missing folder, no permission, a folder there).
void check_writable(const std::filesystem::path& path);

// Writes `run` under a temporary name beside `path` and renames it, replacing an older file of that name. The same
// record gives the same bytes. Throws ResultFileError, leaving no partial file (disk full included).
void write(const RunRecord& run, const std::filesystem::path& path);

// Removes the temporary that write() has open, if any. Async-signal-safe: the command line's handler of SIGINT and
// SIGTERM calls it before it ends the process. At most one write() runs at a time.
void remove_partial_files() noexcept;

// Throws ResultFileError when the file is missing, is not HDF5, has another format version, or lacks a dataset.
[[nodiscard]] RunRecord read(const std::filesystem::path& path);

} // namespace moesim::record
