#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "simulator/base/input_error.hpp"
#include "simulator/config/csv_text.hpp"
#include "workloads/routing_trace.hpp"

namespace moesim::workloads {
namespace {

constexpr std::array<const char*, 5> columns{"iteration", "layer", "micro_batch", "expert", "tokens"};
constexpr double most_values = 1e8; // rows times experts

using Key = std::tuple<std::int32_t, std::int32_t, std::int32_t>; // iteration, layer, micro-batch
using TokensOfExperts = std::map<std::int32_t, double>;

// All of a text as a number from 0; of counts a whole one.
template <class Number>
std::optional<Number> number(const std::string& text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) ||
      !std::isfinite(static_cast<double>(value)))
    return {};
  return value;
}

// Adds a line to what is known of its row.
void read_line(const config::CsvRow& line, std::map<Key, TokensOfExperts>& rows, Problems& problems) {
  if (line.size() != columns.size())
    return problems.add(
        line.front().position, "",
        fmt::format("the line has {} cells; expected {}: {}", line.size(), columns.size(), routing_csv_header));
  std::array<std::int32_t, 4> place{};
  for (std::size_t at = 0; at < place.size(); ++at) {
    const std::optional<std::int32_t> value = number<std::int32_t>(line[at].text);
    if (!value)
      return problems.add(line[at].position, columns[at], "is no whole number from 0");
    place[at] = *value;
  }
  const std::optional<double> tokens = number<double>(line[4].text);
  if (!tokens)
    return problems.add(line[4].position, columns[4], "is no number from 0");
  if (!rows[{place[0], place[1], place[2]}].emplace(place[3], *tokens).second)
    problems.add(
        line[3].position, columns[3],
        fmt::format("expert {} has a line in this iteration, layer and micro-batch already; keep one of the two",
                    place[3]));
}

void check_header(const config::CsvRow& header) {
  const auto same = [](const config::CsvCell& cell, const char* name) { return cell.text == name; };
  if (!std::ranges::equal(header, columns, same))
    throw InputError(header.front().position, "",
                     fmt::format("the header is not that of a trace; expected {}", routing_csv_header));
}

} // namespace

RoutingTrace read_routing_csv(const std::string& text, const std::string& file) {
  const std::vector<config::CsvRow> lines = config::read_csv(text, file);
  if (lines.empty())
    throw InputError(
        {file}, "", fmt::format("the trace is empty; expected a header, {}, and lines of numbers", routing_csv_header));
  check_header(lines.front());
  Problems problems;
  std::map<Key, TokensOfExperts> rows;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line)
    read_line(*line, rows, problems);
  problems.throw_if_any();

  RoutingTrace trace;
  for (const auto& [key, tokens] : rows)
    trace.experts = std::max(trace.experts, std::int64_t{1} + tokens.rbegin()->first);
  if (static_cast<double>(rows.size()) * static_cast<double>(trace.experts) > most_values)
    throw InputError(
        {file}, "", fmt::format("{} rows of {} experts are too many; use a shorter trace", rows.size(), trace.experts));
  for (const auto& [key, tokens] : rows) {
    trace.iterations.push_back(std::get<0>(key));
    trace.layers.push_back(std::get<1>(key));
    trace.micro_batches.push_back(std::get<2>(key));
    const std::size_t first = trace.tokens.size();
    trace.tokens.resize(first + static_cast<std::size_t>(trace.experts));
    for (const auto& [expert, count] : tokens)
      trace.tokens[first + static_cast<std::size_t>(expert)] = count;
  }
  return trace;
}

std::string to_csv(const RoutingTrace& trace) {
  std::string csv = fmt::format("{}\n", routing_csv_header);
  const auto experts = static_cast<std::size_t>(trace.experts);
  for (std::size_t row = 0; row < trace.rows(); ++row)
    for (std::size_t expert = 0; expert < experts; ++expert)
      csv += fmt::format("{},{},{},{},{}\n", trace.iterations[row], trace.layers[row], trace.micro_batches[row], expert,
                         trace.tokens[row * experts + expert]);
  return csv;
}

} // namespace moesim::workloads
