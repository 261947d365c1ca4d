#include "simulator/record/sweep_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "simulator/base/check.hpp"
#include "simulator/record/hdf5_reader.hpp"
#include "simulator/record/layout_reader.hpp"
#include "simulator/record/layout_writer.hpp"
#include "simulator/record/partial_file.hpp"
#include "simulator/record/result_file.hpp"

namespace moesim::record {
namespace {

constexpr const char* format_name = "moesim sweep";
constexpr std::uint64_t format_version = 1;

// The same members for the writer and the reader, which differ in whether they change them.
template <class Archive, class Table>
void lay_out_texts(Archive& file, Table& table) {
  file.text("sweep/name", table.name);
  file.names("sweep/fields", table.fields);
  file.names("sweep/figures", table.figures);
  file.names("points/scenario", table.scenario);
  file.names("points/status", table.status);
  file.names("points/reason", table.reason);
}

std::string number(double value) {
  if (std::isnan(value))
    return "";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

bool is_whole(const SweepTable& table) {
  const auto has_all = [&](const auto& column) { return column.size() == table.size(); };
  return has_all(table.status) && has_all(table.reason) && table.fields.size() == table.settings.size() &&
         table.figures.size() == table.values.size() && std::ranges::all_of(table.settings, has_all) &&
         std::ranges::all_of(table.values, has_all);
}

} // namespace

const std::vector<double>* SweepTable::figure(const std::string& figure_name) const {
  const auto found = std::ranges::find(figures, figure_name);
  return found == figures.end() ? nullptr : &values[static_cast<std::size_t>(found - figures.begin())];
}

std::string figure_unit(const std::string& name) {
  constexpr std::array<std::pair<const char*, const char*>, 5> units{{{"tokens_per_s", "tokens/s"},
                                                                      {"tokens_per_s_per_gpu", "tokens/s"},
                                                                      {"tflops_per_gpu", "TFLOP/s"},
                                                                      {"_bytes", "bytes"},
                                                                      {"_s", "s"}}};
  for (const auto& [ending, unit] : units)
    if (name.ends_with(ending))
      return unit;
  return "1";
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string quoted = "\"";
  for (const char letter : text)
    quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string to_csv(const SweepTable& table) {
  std::string csv = "point,scenario";
  for (const std::string& field : table.fields)
    csv += "," + csv_cell(field);
  csv += ",status,reason";
  for (const std::string& figure : table.figures)
    csv += "," + csv_cell(figure);
  csv += "\n";
  for (std::size_t point = 0; point < table.size(); ++point) {
    csv += fmt::format("{},{}", point, csv_cell(table.scenario[point]));
    for (const std::vector<std::string>& setting : table.settings)
      csv += "," + csv_cell(setting[point]);
    csv += fmt::format(",{},{}", csv_cell(table.status[point]), csv_cell(table.reason[point]));
    for (const std::vector<double>& values : table.values)
      csv += "," + number(values[point]);
    csv += "\n";
  }
  return csv;
}

void write(const SweepTable& table, const std::filesystem::path& path) {
  MOESIM_CHECK(is_whole(table), "every column of a sweep has a row for each point");
  LayoutWriter file;
  file.text("sweep/format", format_name);
  file.scalar("sweep/format_version", "1", format_version);
  lay_out_texts(file, table);
  for (std::size_t at = 0; at < table.fields.size(); ++at)
    file.names(("settings/" + table.fields[at]).c_str(), table.settings[at]);
  for (std::size_t at = 0; at < table.figures.size(); ++at)
    file.column("figures/" + table.figures[at], figure_unit(table.figures[at]).c_str(), table.values[at]);
  replace_file(path, file.image(path.string()));
}

SweepTable read_sweep_table(const std::filesystem::path& path) {
  const Hdf5Reader file(path);
  if (!file.has("sweep/format") || file.texts("sweep/format") != std::vector<std::string>{format_name})
    throw ResultFileError(path.string() + ": is not the table of a sweep of moesim");
  LayoutReader reader(file);
  std::uint64_t version = 0;
  reader.scalar("sweep/format_version", "1", version);
  if (version != format_version)
    throw ResultFileError(fmt::format("{}: has version {} of the format; this moesim reads version {}", path.string(),
                                      version, format_version));
  SweepTable table;
  lay_out_texts(reader, table);
  for (const std::string& field : table.fields)
    reader.names(("settings/" + field).c_str(), table.settings.emplace_back());
  for (const std::string& figure : table.figures)
    reader.column("figures/" + figure, figure_unit(figure).c_str(), table.values.emplace_back());
  if (!is_whole(table))
    throw ResultFileError(path.string() + ": is damaged: its columns differ in length");
  return table;
}

} // namespace moesim::record
