#include "analysis/expert_balance.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace moesim::analysis {
namespace {

// Means over the rows of a matrix that have any tokens: of the largest over the mean, and of the standard deviation
// over it.
struct Unevenness {
  double max_over_mean = 0;
  double cv = 0;
};

Unevenness unevenness(const std::vector<double>& tokens, std::size_t columns) {
  Unevenness sum;
  double rows = 0;
  for (std::size_t first = 0; columns > 0 && first < tokens.size(); first += columns) {
    const std::span row(tokens.data() + first, columns);
    const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(columns);
    if (mean <= 0)
      continue;
    double squares = 0;
    for (const double value : row)
      squares += (value - mean) * (value - mean);
    sum.max_over_mean += *std::ranges::max_element(row) / mean;
    constexpr double rounding = 1e-12; // of numbers that are equal
    const double cv = std::sqrt(squares / static_cast<double>(columns)) / mean;
    sum.cv += cv > rounding ? cv : 0;
    ++rows;
  }
  return rows > 0 ? Unevenness{sum.max_over_mean / rows, sum.cv / rows} : Unevenness{};
}

std::size_t name_of(const record::TaskTable& tasks, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(tasks.names, name) - tasks.names.begin());
}

// How many ranks each rank's rows stand for.
std::vector<double> weights_of(const record::RankTable& ranks) {
  std::vector<double> weights(ranks.size(), 0);
  for (const std::uint32_t representative : ranks.representative)
    ++weights[representative];
  return weights;
}

// The experts' kernels of each rank that has rows, in order.
using Steps = std::map<std::uint32_t, std::vector<std::size_t>>;

Steps expert_steps(const record::TaskTable& tasks) {
  const std::size_t experts = name_of(tasks, "experts");
  Steps steps;
  for (std::size_t row = 0; row < tasks.size(); ++row)
    if (tasks.name[row] == experts)
      steps[tasks.rank[row]].push_back(row);
  return steps;
}

double duration(const record::TaskTable& tasks, std::size_t row) {
  return tasks.end[row] - tasks.start[row];
}

// Over the groups of all ranks; those that the same ranks stand for are worked out once.
double imbalance(const record::RunRecord& run, const Steps& steps) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> groups; // by stage and replica
  for (std::size_t rank = 0; rank < run.ranks.size(); ++rank)
    groups[{run.ranks.pp[rank], run.ranks.edp[rank]}].push_back(run.ranks.representative[rank]);
  std::map<std::vector<std::uint32_t>, double> times;
  for (const auto& [place, members] : groups)
    ++times[members];
  double lost = 0;
  for (const auto& [members, count] : times) {
    const auto first = steps.find(members.front());
    if (first == steps.end())
      continue;
    for (std::size_t at = 0; at < first->second.size(); ++at) {
      double longest = 0;
      double sum = 0;
      for (const std::uint32_t member : members) {
        const double time = duration(run.tasks, steps.at(member).at(at));
        longest = std::max(longest, time);
        sum += time;
      }
      lost += count * (longest * static_cast<double>(members.size()) - sum);
    }
  }
  const double mean = lost / static_cast<double>(run.ranks.size());
  constexpr double rounding = 1e-9; // of the makespan: times that are equal differ by as much
  return mean > rounding * run.figures.makespan ? mean : 0;
}

// Of values that stand for `weight` each, sorted: the least that so large a share of them is not above.
double percentile(const std::vector<std::pair<double, double>>& sorted, double share) {
  double all = 0;
  for (const auto& [value, weight] : sorted)
    all += weight;
  double below = 0;
  for (const auto& [value, weight] : sorted) {
    below += weight;
    if (below >= share * all)
      return value;
  }
  return 0;
}

void add_latency(const record::RunRecord& run, const Steps& steps, const std::vector<double>& weights,
                 ExpertFigures& figures) {
  std::vector<std::pair<double, double>> times;
  for (const auto& [rank, rows] : steps)
    for (const std::size_t row : rows)
      if (!run.tasks.phases[run.tasks.phase[row]].starts_with("backward"))
        times.emplace_back(duration(run.tasks, row), weights[rank]);
  std::ranges::sort(times);
  figures.latency_p50_s = percentile(times, 0.5);
  figures.latency_p99_s = percentile(times, 0.99);
}

double moved_bytes(const record::RunRecord& run, const std::vector<double>& weights) {
  double bytes = 0;
  for (const std::string_view name : {"move-experts", "steal-experts", "return-expert-gradients"}) {
    const std::size_t index = name_of(run.tasks, name);
    for (std::size_t row = 0; row < run.tasks.size(); ++row)
      if (run.tasks.name[row] == index)
        bytes += run.tasks.bytes[row] * weights[run.tasks.rank[row]];
  }
  return bytes;
}

} // namespace

ExpertFigures expert_figures(const record::RunRecord& run) {
  ExpertFigures figures;
  const Unevenness of_experts = unevenness(run.experts.tokens, run.experts.experts);
  const Unevenness of_ranks = unevenness(run.experts.rank_tokens, run.experts.ranks);
  figures.load_max_over_mean = of_experts.max_over_mean;
  figures.load_cv = of_experts.cv;
  figures.rank_load_max_over_mean = of_ranks.max_over_mean;
  figures.rank_load_cv = of_ranks.cv;
  figures.routed_tokens = run.figures.routed_tokens;
  figures.computed_tokens = run.figures.computed_tokens;
  figures.dropped_tokens = run.figures.dropped_tokens;
  figures.moved_tokens = run.experts.moved;
  const std::vector<double> weights = weights_of(run.ranks);
  const Steps steps = expert_steps(run.tasks);
  figures.moved_bytes = moved_bytes(run, weights);
  figures.imbalance_s = imbalance(run, steps);
  add_latency(run, steps, weights, figures);
  return figures;
}

} // namespace moesim::analysis
