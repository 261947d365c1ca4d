#include "schedulers/custom_order.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace moesim::schedulers {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = text.find_first_not_of(blank);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t first = 0; first <= text.size();) {
    const std::size_t last = std::min(text.find(separator, first), text.size());
    parts.push_back(trimmed(text.substr(first, last - first)));
    first = last + 1;
  }
  return parts;
}

// A whole number from 0, and nothing else.
std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-')
    return {};
  return value;
}

std::optional<PassKind> kind_of(std::string_view letter) {
  if (letter == "F")
    return PassKind::Forward;
  if (letter == "B")
    return PassKind::Backward;
  if (letter == "W")
    return PassKind::BackwardWeight;
  return {};
}

// "F0" or "F0.1"
std::optional<PipelinePass> pass_of(std::string_view token) {
  const std::size_t dot = token.find('.');
  const std::optional<PassKind> kind = kind_of(token.substr(0, 1));
  const std::optional<std::int32_t> micro_batch = number(token.substr(std::min<std::size_t>(1, token.size()), dot - 1));
  const std::optional<std::int32_t> chunk = dot == std::string_view::npos ? 0 : number(token.substr(dot + 1));
  if (!kind || !micro_batch || !chunk)
    return {};
  return PipelinePass{*kind, *micro_batch, *chunk};
}

// Where the stage runs the weights apart, what comes before is the backward of the input.
void split_backwards(PipelineOrder& order) {
  for (std::vector<PipelinePass>& passes : order) {
    std::set<std::pair<std::int32_t, std::int32_t>> apart;
    for (const PipelinePass& pass : passes)
      if (pass.kind == PassKind::BackwardWeight)
        apart.emplace(pass.micro_batch, pass.chunk);
    for (PipelinePass& pass : passes)
      if (pass.kind == PassKind::Backward && apart.contains({pass.micro_batch, pass.chunk}))
        pass.kind = PassKind::BackwardInput;
  }
}

// Reads the passes of one stage; says what is wrong with a line.
std::string read_stage(std::string_view line, std::size_t stage, std::vector<PipelinePass>& passes) {
  if (line.starts_with("stage")) {
    const std::size_t colon = line.find(':');
    if (number(trimmed(line.substr(5, colon - 5))) != static_cast<std::int32_t>(stage))
      return fmt::format("'{}' stands where stage {} does; write 'stage {}:', or the passes alone",
                         line.substr(0, std::min(colon, line.size())), stage, stage);
    line = trimmed(line.substr(std::min(colon, line.size() - 1) + 1));
  }
  for (const std::string_view word : split(line, ' ')) {
    if (word.empty())
      continue;
    const std::vector<std::string_view> together = split(word, '&');
    for (std::size_t at = 0; at < together.size(); ++at) {
      std::optional<PipelinePass> pass = pass_of(together[at]);
      if (!pass)
        return fmt::format("'{}' is no pass; write F, B or W, a micro-batch and, after a dot, a chunk: F0, F0.1, F2&B0",
                           word);
      pass->with_next = at + 1 < together.size();
      passes.push_back(*pass);
    }
  }
  return {};
}

constexpr std::array<std::string_view, 5> column_names{"stage", "pass", "micro_batch", "chunk", "with_next"};

// For each column, where it stands in a row; none: nowhere.
using Columns = std::array<std::optional<std::size_t>, column_names.size()>;

std::string read_header(std::string_view line, Columns& columns) {
  const std::vector<std::string_view> names = split(line, ',');
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const auto found = std::ranges::find(names, column_names[column]);
    if (found != names.end())
      columns[column] = static_cast<std::size_t>(found - names.begin());
    else if (column_names[column] != "with_next")
      return fmt::format("column '{}' is missing; the first row names stage,pass,micro_batch,chunk and, if wanted, "
                         "with_next",
                         column_names[column]);
  }
  return {};
}

struct Row {
  std::int32_t stage = 0;
  PipelinePass pass;
};

std::string read_row(std::string_view line, const Columns& columns, Row& row) {
  const std::vector<std::string_view> cells = split(line, ',');
  const auto cell = [&](std::size_t column) -> std::string_view {
    return columns[column] && *columns[column] < cells.size() ? cells[*columns[column]] : "";
  };
  const std::optional<PassKind> kind = kind_of(cell(1));
  if (!kind)
    return fmt::format("pass '{}' is none of F, B and W", cell(1));
  row.pass.kind = *kind;
  const std::array<std::pair<std::size_t, std::int32_t*>, 3> numbers{
      {{0, &row.stage}, {2, &row.pass.micro_batch}, {3, &row.pass.chunk}}};
  for (const auto& [column, target] : numbers) {
    const std::optional<std::int32_t> value = number(cell(column));
    if (!value)
      return fmt::format("{} '{}' is no number; they count from 0", column_names[column], cell(column));
    *target = *value;
  }
  if (!cell(4).empty() && cell(4) != "0" && cell(4) != "1")
    return fmt::format("with_next '{}' is neither 0 nor 1", cell(4));
  row.pass.with_next = cell(4) == "1";
  return {};
}

} // namespace

CustomOrder parse_order(std::string_view text) {
  CustomOrder result;
  int line_number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++line_number;
    if (line.empty())
      continue;
    std::vector<PipelinePass> passes;
    if (const std::string problem = read_stage(line, result.order.size(), passes); !problem.empty())
      result.problems.push_back({line_number, problem});
    result.order.push_back(std::move(passes));
  }
  split_backwards(result.order);
  return result;
}

CustomOrder parse_order_table(std::string_view csv) {
  CustomOrder result;
  const std::vector<std::string_view> lines = split(csv, '\n');
  Columns columns;
  if (const std::string problem = read_header(lines.front(), columns); !problem.empty()) {
    result.problems.push_back({1, problem});
    return result;
  }
  for (std::size_t at = 1; at < lines.size(); ++at) {
    if (lines[at].empty())
      continue;
    Row row;
    std::string problem = read_row(lines[at], columns, row);
    const auto stage = static_cast<std::size_t>(row.stage);
    if (problem.empty() && stage >= lines.size()) // a stage has at least a row
      problem = fmt::format("stage {} is more than the table has rows; stages count from 0", stage);
    if (!problem.empty()) {
      result.problems.push_back({static_cast<int>(at) + 1, problem});
      continue;
    }
    result.order.resize(std::max(result.order.size(), stage + 1));
    result.order[stage].push_back(row.pass);
  }
  split_backwards(result.order);
  return result;
}

} // namespace moesim::schedulers
