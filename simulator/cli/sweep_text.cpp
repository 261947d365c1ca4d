#include "simulator/cli/sweep_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "simulator/base/format.hpp"
#include "simulator/sweep/tables.hpp"

namespace moesim::cli {
namespace {

constexpr std::ptrdiff_t most_reasons = 5;

std::string counted(std::size_t count) {
  return fmt::format("{} point{}", format_count(static_cast<std::int64_t>(count)), count == 1 ? "" : "s");
}

// Lines of "invalid: point 17 (a=1): why", the first few of them.
class Reasons {
public:
  explicit Reasons(const sweep::Plan& plan) : plan_(plan) {}

  void add(std::string_view status, std::size_t point, std::string_view reason) {
    if (++count_ <= most_reasons)
      text_ += fmt::format("{}: {}: {}\n", status, point_text(plan_, point), reason);
  }
  [[nodiscard]] std::string text() const {
    return count_ <= most_reasons ? text_ : fmt::format("{}... and {} more\n", text_, count_ - most_reasons);
  }

private:
  const sweep::Plan& plan_;
  std::ptrdiff_t count_ = 0;
  std::string text_;
};

std::size_t count_of(const record::SweepTable& table, sweep::Status status) {
  return static_cast<std::size_t>(std::ranges::count(table.status, sweep::name_of(status)));
}

} // namespace

std::string format_duration(Seconds time) {
  if (time < Seconds(120))
    return fmt::format("{:.0f} s", time.value());
  if (time < Seconds(2 * 3600))
    return fmt::format("{:.0f} min", time.value() / 60);
  return fmt::format("{:.1f} h", time.value() / 3600);
}

std::string progress_text(const pool::Progress& progress, std::size_t before, Seconds elapsed) {
  const std::size_t ended = progress.done + progress.refused + progress.failed;
  std::string text = fmt::format("{} done, {} running, {} failed", progress.done + progress.refused, progress.running,
                                 progress.failed);
  if (ended > before && elapsed > Seconds()) {
    const double rate = static_cast<double>(ended - before) / elapsed.value();
    text += fmt::format(", {:.3g} points/s, {} left", rate,
                        format_duration(Seconds(static_cast<double>(progress.total - ended) / rate)));
  }
  return text;
}

std::string point_text(const sweep::Plan& plan, std::size_t point) {
  std::vector<std::string> words = plan.points[point].assignments();
  if (plan.scenarios.size() > 1)
    words.insert(words.begin(), plan.scenarios[plan.points[point].scenario].reference);
  return words.empty() ? fmt::format("point {}", point) : fmt::format("point {} ({})", point, fmt::join(words, " "));
}

std::string dry_run_text(const sweep::Plan& plan, std::span<const sweep::PointCost> costs,
                         std::optional<Seconds> row_time, std::size_t workers) {
  Reasons reasons(plan);
  std::size_t invalid = 0;
  double rows = 0;
  for (std::size_t point = 0; point < costs.size(); ++point) {
    rows += costs[point].rows;
    if (costs[point].reason.empty())
      continue;
    ++invalid;
    reasons.add("invalid", point, costs[point].reason);
  }
  std::string text = fmt::format("{}: {} valid, {} invalid\n", counted(costs.size()), costs.size() - invalid, invalid);
  text += reasons.text();
  if (row_time)
    text += fmt::format("estimated time: {} with {} process{}\n",
                        format_duration(*row_time * rows / static_cast<double>(workers)), workers,
                        workers == 1 ? "" : "es");
  return text;
}

std::string table_text(const record::SweepTable& table, const sweep::Plan& plan) {
  std::string text =
      fmt::format("{}: {} done, {} invalid, {} failed\n", counted(table.size()), count_of(table, sweep::Status::Done),
                  count_of(table, sweep::Status::Invalid), count_of(table, sweep::Status::Failed));
  Reasons reasons(plan);
  for (std::size_t point = 0; point < table.size(); ++point)
    if (table.status[point] != sweep::name_of(sweep::Status::Done))
      reasons.add(table.status[point], point, table.reason[point]);
  text += reasons.text();
  if (const auto best = sweep::best_point(table))
    text += fmt::format("best: {}: {} tokens/s\n", point_text(plan, *best),
                        format_count(std::llround((*table.figure("tokens_per_s"))[*best])));
  return text;
}

std::string status_text(const sweep::SweepFolder& folder) {
  std::array<std::size_t, 3> counts{};
  const std::vector<std::size_t> finished = folder.finished();
  for (const std::size_t point : finished)
    ++counts[static_cast<std::size_t>(folder.read(point)->status)];
  const std::size_t total = folder.plan().points.size();
  return fmt::format("{}: {} done, {} invalid, {} failed, {} missing\n", counted(total), counts[0], counts[1],
                     counts[2], total - finished.size());
}

} // namespace moesim::cli
