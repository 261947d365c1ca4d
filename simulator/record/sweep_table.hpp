// What came of the points of a sweep: one row per point, in the order of the points, as HDF5 and as CSV. Nothing here
// depends on the machine, the time, or how many processes did it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moesim::record {

struct SweepTable {
  std::string name;
  // Per point:
  std::vector<std::string> scenario; // as the sweep file names it
  std::vector<std::string>
      status; // "done"; "invalid": refused by the scenario's checks; "failed": crashed, over a limit
  std::vector<std::string> reason; // of what is not done, one line
  // [field][point]: what the point sets the field to, as YAML in one line; "" where it leaves it alone.
  std::vector<std::string> fields;
  std::vector<std::vector<std::string>> settings;
  // [figure][point]: in the unit that its name ends in (figure_unit); NaN where the point has none.
  std::vector<std::string> figures;
  std::vector<std::vector<double>> values;

  [[nodiscard]] std::size_t size() const { return scenario.size(); }
  // The values of a figure, one for each point; nullptr when no point has it.
  [[nodiscard]] const std::vector<double>* figure(const std::string& figure_name) const;

  bool operator==(const SweepTable&) const = default;
};

// "s" of iteration_time_s, "bytes" of peak_memory_bytes, "tokens/s" of tokens_per_s; "1" of counts and shares.
[[nodiscard]] std::string figure_unit(const std::string& name);

// A header line, then a line per point: its number, scenario, settings, status, reason, figures. Numbers are as short
// as they can be without losing a bit.
[[nodiscard]] std::string to_csv(const SweepTable& table);
// One cell of a CSV (RFC 4180): in quotes where it has to be.
[[nodiscard]] std::string csv_cell(const std::string& text);

// Like record::write() and record::read() of a run, with the same errors.
void write(const SweepTable& table, const std::filesystem::path& path);
[[nodiscard]] SweepTable read_sweep_table(const std::filesystem::path& path);

} // namespace moesim::record
