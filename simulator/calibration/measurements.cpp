#include "simulator/calibration/measurements.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/input_error.hpp"
#include "simulator/config/csv_text.hpp"
#include "simulator/config/number.hpp"
#include "simulator/config/quote.hpp"
#include "workloads/operators.hpp"

namespace moesim::calibration {
namespace {

using config::CsvCell;
using config::CsvRow;

constexpr std::array<std::string_view, 8> columns{"kernel", "precision", "groups",   "m",
                                                  "n",      "k",         "launches", "microseconds"};
constexpr std::array<std::string_view, 4> kernels{"gemm", "attention", "attention-backward", "copy"};
constexpr std::int64_t largest = 1'000'000'000;

// One row, cell by cell. A problem is noted and a harmless value returned, so that all of them are found.
class RowReader {
public:
  RowReader(const std::vector<std::size_t>& place_of_column, const CsvRow& row, Problems& problems)
      : place_of_column_(place_of_column), row_(row), problems_(problems) {}

  Measurement read() {
    const std::string_view kernel = one_of("kernel", kernels);
    const Precision precision = read_precision();
    const std::int64_t groups = count("groups");
    const std::int64_t m = count("m");
    const std::int64_t n = count("n");
    const std::int64_t k = count("k");
    Measurement measurement;
    measurement.launches = count("launches");
    measurement.time = Seconds(microseconds() * 1e-6);
    if (kernel == "gemm")
      measurement.op = workloads::gemm_forward({.rows = groups * m, .n = n, .k = k, .groups = groups}, precision);
    else if (kernel == "copy")
      measurement.op = workloads::memory_bound(
          Bytes(2 * static_cast<double>(m) * static_cast<double>(n) * bytes_per_element(precision)), Pass::Forward);
    else
      measurement.op = causal(groups, m, n, k, kernel == "attention" ? Pass::Forward : Pass::Backward, precision);
    return measurement;
  }

private:
  static Operator causal(std::int64_t groups, std::int64_t m, std::int64_t n, std::int64_t k, Pass pass,
                         Precision precision) {
    return workloads::causal_attention({.sequences = 1,
                                        .heads = groups,
                                        .kv_heads = groups,
                                        .length = m,
                                        .kv_length = n,
                                        .keys = n,
                                        .pairs = static_cast<double>(m) * static_cast<double>(n) / 2,
                                        .qk_head_dim = k,
                                        .v_head_dim = k},
                                       pass, precision);
  }

  [[nodiscard]] const CsvCell& cell(std::string_view column) const {
    const auto at = static_cast<std::size_t>(std::ranges::find(columns, column) - columns.begin());
    return row_[place_of_column_[at]];
  }

  template <class Names>
  std::string_view one_of(std::string_view column, const Names& names) {
    const CsvCell& given = cell(column);
    const auto found = std::ranges::find(names, given.text);
    if (found != names.end())
      return *found;
    problems_.add(
        given.position, std::string(column),
        fmt::format("'{}' is not known; expected one of {}", config::shown(given.text), fmt::join(names, ", ")));
    return names.front();
  }

  Precision read_precision() {
    std::array<std::string_view, all_precisions.size()> names;
    std::ranges::transform(all_precisions, names.begin(), name_of);
    const std::string_view name = one_of("precision", names);
    return all_precisions[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())];
  }

  std::int64_t count(std::string_view column) {
    const CsvCell& given = cell(column);
    if (config::is_integer(given.text)) {
      const std::int64_t value = config::integer_value(given.text);
      if (value >= 1 && value <= largest)
        return value;
    }
    problems_.add(given.position, std::string(column),
                  fmt::format("found '{}'; expected a whole number from 1 to {}", config::shown(given.text), largest));
    return 1;
  }

  double microseconds() {
    const CsvCell& given = cell("microseconds");
    const auto value = config::is_number(given.text) ? config::number_value(given.text) : std::nullopt;
    if (value && *value >= 1e-3 && *value <= 1e12)
      return *value;
    problems_.add(given.position, "microseconds",
                  fmt::format("found '{}'; expected a time from 0.001 to 1e12", config::shown(given.text)));
    return 1;
  }

  const std::vector<std::size_t>& place_of_column_;
  const CsvRow& row_;
  Problems& problems_;
};

// Where each of `columns` stands in the table.
std::vector<std::size_t> read_header(const CsvRow& header, Problems& problems) {
  std::vector<std::size_t> places;
  for (const std::string_view column : columns) {
    const auto found = std::ranges::find(header, column, &CsvCell::text);
    if (found == header.end())
      problems.add(header.front().position, std::string(column),
                   fmt::format("the table has no such column; expected {}", fmt::join(columns, ",")));
    places.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  for (const CsvCell& cell : header)
    if (std::ranges::find(columns, cell.text) == columns.end())
      problems.add(cell.position, "",
                   fmt::format("'{}' is no column; expected {}", config::shown(cell.text), fmt::join(columns, ",")));
    else if (std::ranges::count(header, cell.text, &CsvCell::text) > 1)
      problems.add(cell.position, cell.text, "has a column already; keep one of the two");
  return places;
}

} // namespace

std::vector<Measurement> read_measurements(const std::string& text, const std::string& file) {
  const std::vector<CsvRow> rows = config::read_csv(text, file);
  if (rows.size() < 2)
    throw InputError(
        {file}, "",
        fmt::format("the table has no rows; expected a line {}, and a line for each kernel", fmt::join(columns, ",")));
  Problems problems;
  const std::vector<std::size_t> places = read_header(rows.front(), problems);
  problems.throw_if_any();
  std::vector<Measurement> measurements;
  for (auto row = rows.begin() + 1; row != rows.end(); ++row)
    if (row->size() != columns.size())
      problems.add(row->front().position, "",
                   fmt::format("the row has {} cells; expected {}, one for each column", row->size(), columns.size()));
    else
      measurements.push_back(RowReader(places, *row, problems).read());
  problems.throw_if_any();
  return measurements;
}

} // namespace moesim::calibration
