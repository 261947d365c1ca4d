#include "analysis/time_budget.hpp"

#include "analysis/activity.hpp"

#include <limits>
#include <numeric>

namespace moesim::analysis {
namespace {

struct ComputeSpan {
  double first_start = std::numeric_limits<double>::infinity(); // of any compute task
  double last_pass_end = -std::numeric_limits<double>::infinity();
};

ComputeSpan compute_span(const record::TaskTable& tasks, record::RowRange rows, const RowMeanings& meanings) {
  ComputeSpan span;
  for (std::size_t row = rows.first; row < rows.last; ++row) {
    if (meanings.is_compute(row))
      span.first_start = std::min(span.first_start, tasks.start[row]);
    if (meanings.is_pass(row))
      span.last_pass_end = std::max(span.last_pass_end, tasks.end[row]);
  }
  return span;
}

TimeBudget budget_of(const record::RunRecord& run, record::RowRange rows, const RowMeanings& meanings) {
  const ComputeSpan span = compute_span(run.tasks, rows, meanings);
  TimeBudget budget;
  budget.makespan = run.figures.makespan;
  visit_activities(run, rows, meanings, [&](double begin, double end, Activity activity) {
    const double length = end - begin;
    if (activity == Activity::Compute || activity == Activity::Optimizer)
      budget.compute += length;
    else if (activity != Activity::Idle)
      budget.exposed[static_cast<std::size_t>(activity) - static_cast<std::size_t>(Activity::Tp)] += length;
    else if (begin < span.first_start)
      budget.warm_up += length;
    else if (begin < span.last_pass_end)
      budget.waiting += length;
    else
      budget.cool_down += length;
  });
  return budget;
}

void add(TimeBudget& sum, const TimeBudget& budget, double weight) {
  sum.makespan += budget.makespan * weight;
  sum.compute += budget.compute * weight;
  for (std::size_t i = 0; i < sum.exposed.size(); ++i)
    sum.exposed[i] += budget.exposed[i] * weight;
  sum.warm_up += budget.warm_up * weight;
  sum.waiting += budget.waiting * weight;
  sum.cool_down += budget.cool_down * weight;
}

} // namespace

double TimeBudget::exposed_communication() const {
  return std::accumulate(exposed.begin(), exposed.end(), 0.0);
}

TimeBudgets time_budgets(const record::RunRecord& run) {
  const record::RankTable& ranks = run.ranks;
  const RowMeanings meanings(run.tasks);
  TimeBudgets budgets;
  budgets.ranks.resize(ranks.size());
  for (std::uint32_t rank = 0; rank < ranks.size(); ++rank)
    if (ranks.representative[rank] == rank)
      budgets.ranks[rank] = budget_of(run, rows_of(run, rank), meanings);

  const std::uint32_t stages = ranks.size() == 0 ? 0 : *std::max_element(ranks.pp.begin(), ranks.pp.end()) + 1;
  std::vector<double> ranks_of_stage(stages, 0);
  for (const std::uint32_t stage : ranks.pp)
    ++ranks_of_stage[stage];
  budgets.stages.resize(stages);
  for (std::uint32_t rank = 0; rank < ranks.size(); ++rank) {
    budgets.ranks[rank] = budgets.ranks[ranks.representative[rank]];
    add(budgets.stages[ranks.pp[rank]], budgets.ranks[rank], 1 / ranks_of_stage[ranks.pp[rank]]);
    add(budgets.mean, budgets.ranks[rank], 1 / static_cast<double>(ranks.size()));
  }
  return budgets;
}

} // namespace moesim::analysis
