#include "simulator/sweep/run_points.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/summary.hpp"
#include "simulator/base/input_error.hpp"
#include "simulator/record/result_file.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::sweep {
namespace {

// What `use` returns of the scenario of a point. Messages name it as the sweep file does: where it lies on this
// computer is nobody's result.
template <class Use>
auto with_scenario(const Plan& plan, std::size_t point, const Use& use) {
  const ScenarioFile& file = plan.scenarios[plan.points[point].scenario];
  try {
    return use(scenario::load(file.file, plan.points[point].assignments()));
  } catch (const InputError& error) {
    std::vector<Problem> problems = error.problems();
    for (Problem& problem : problems)
      if (problem.position.file == file.file.string())
        problem.position.file = file.reference;
    throw InputError(std::move(problems));
  }
}

// The lines of a message in one. Where in an assignment a mistake stands is left out: nobody wrote it there.
std::string in_one_line(const std::string& message) {
  std::istringstream lines(message);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("--set:"))
      line.erase(0, line.find(": ") + 2);
    result += (result.empty() ? "" : " | ") + line;
  }
  return result;
}

// The summary of a point, as JSON. Writes its timeline where `timeline` is not empty.
std::string simulate(const Plan& plan, std::size_t point, const std::filesystem::path& timeline) {
  record::RunRecord run = with_scenario(plan, point, [](const scenario::Scenario& scenario) {
    return run::simulate(scenario, [](std::size_t, std::size_t) {});
  });
  run.summary_json = analysis::to_json(analysis::summarize(run));
  if (!timeline.empty())
    record::write(run, timeline);
  return run.summary_json;
}

PointResult result_of(pool::Outcome outcome, const std::string& host, const std::string& job) {
  PointResult result;
  result.summary = std::move(outcome.value);
  result.wall_time_s = outcome.wall_time.value();
  result.host = host;
  result.job = job;
  if (outcome.ending == pool::Ending::Refused)
    result.status = Status::Invalid;
  if (outcome.ending == pool::Ending::Failed) {
    result.status = Status::Failed;
    result.log = std::move(outcome.log);
  }
  result.reason = in_one_line(outcome.reason);
  return result;
}

// The costs of points first .. last - 1 of a list, as JSON.
std::string costs_of(const Plan& plan, std::span<const std::size_t> points) {
  nlohmann::json costs = nlohmann::json::array();
  for (const std::size_t point : points) {
    try {
      costs.push_back({"", with_scenario(plan, point, run::simulated_rows)});
    } catch (const InputError& error) {
      costs.push_back({in_one_line(error.what()), 0});
    }
  }
  return costs.dump();
}

} // namespace

void run_points(const SweepFolder& folder, std::span<const std::size_t> points, const RunOptions& options,
                const pool::ProgressSink& progress) {
  const int attempts = folder.open_attempts();
  const std::string host = host_name();
  const auto work = [&](std::size_t at) -> std::string {
    const auto known = folder.read(points[at]);
    if (known && known->status != Status::Failed)
      return "";
    const std::string line = fmt::format("{}\n", points[at]);
    if (::write(attempts, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw record::ResultFileError((folder.path() / "attempts").string() + ": cannot be written");
    return simulate(folder.plan(), points[at],
                    options.keep == Keep::All ? folder.timeline(points[at]) : std::filesystem::path());
  };
  const auto sink = [&](std::size_t at, pool::Outcome outcome) {
    if (outcome.ending != pool::Ending::Done || !outcome.value.empty())
      folder.write(points[at], result_of(std::move(outcome), host, options.job));
  };
  pool::run_each(points.size(), work, {options.workers, options.limits, pool::ErrorStream::Kept}, sink, progress);
  ::close(attempts);
}

std::vector<PointCost> point_costs(const Plan& plan, std::span<const std::size_t> points, std::size_t workers,
                                   const pool::ProgressSink& progress) {
  constexpr std::size_t points_at_a_time = 32; // a process for each would cost more than it does
  const std::size_t groups = (points.size() + points_at_a_time - 1) / points_at_a_time;
  const auto group = [&](std::size_t at) {
    const std::size_t first = at * points_at_a_time;
    return points.subspan(first, std::min(points_at_a_time, points.size() - first));
  };
  std::vector<PointCost> costs(points.size());
  const auto sink = [&](std::size_t at, const pool::Outcome& outcome) {
    PointCost* cost = &costs[at * points_at_a_time];
    if (outcome.ending == pool::Ending::Done)
      for (const nlohmann::json& each : nlohmann::json::parse(outcome.value))
        *cost++ = {each[0], each[1]};
  };
  pool::run_each(
      groups, [&](std::size_t at) { return costs_of(plan, group(at)); }, {.workers = workers}, sink, progress);
  return costs;
}

std::optional<Seconds> measured_row_time(const Plan& plan, std::span<const std::size_t> points,
                                         std::span<const PointCost> costs, const pool::Limits& limits) {
  std::vector<std::size_t> valid;
  for (std::size_t at = 0; at < points.size(); ++at)
    if (costs[at].reason.empty() && costs[at].rows > 0)
      valid.push_back(at);
  if (valid.empty())
    return {};
  const auto median = valid.begin() + static_cast<std::ptrdiff_t>(valid.size() / 2);
  std::ranges::nth_element(valid, median, {}, [&](std::size_t at) { return costs[at].rows; });
  const pool::Work work = [&] { return simulate(plan, points[*median], {}); };
  const pool::Outcome outcome = pool::run_all({&work, 1}, {.limits = limits}).front();
  return outcome.wall_time / costs[*median].rows;
}

void keep_timeline(const SweepFolder& folder, std::size_t point) {
  const pool::Work work = [&] { return simulate(folder.plan(), point, folder.timeline(point)); };
  const pool::Outcome outcome = pool::run_all({&work, 1}).front();
  if (outcome.ending != pool::Ending::Done)
    throw record::ResultFileError(
        fmt::format("{}: cannot be made: {}", folder.timeline(point).string(), in_one_line(outcome.reason)));
}

} // namespace moesim::sweep
