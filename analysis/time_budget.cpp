#include "analysis/time_budget.hpp"

#include "analysis/activity.hpp"

#include <numeric>

namespace moesim::analysis {
namespace {

TimeBudget budget_of(const record::RunRecord& run, std::uint32_t rank, const RowMeanings& meanings,
                     const std::vector<Bubble>& bubbles) {
  TimeBudget budget;
  budget.makespan = run.figures.makespan;
  visit_activities(run, rows_of(run, rank), meanings, [&](double begin, double end, Activity activity) {
    if (activity == Activity::Compute || activity == Activity::Optimizer)
      budget.compute += end - begin;
    else if (activity != Activity::Idle)
      budget.exposed[static_cast<std::size_t>(activity) - static_cast<std::size_t>(Activity::Tp)] += end - begin;
  });
  for (const Bubble& bubble : bubbles)
    budget.bubbles[static_cast<std::size_t>(bubble.cause)] += bubble.end - bubble.start;
  return budget;
}

void add(TimeBudget& sum, const TimeBudget& budget, double weight) {
  sum.makespan += budget.makespan * weight;
  sum.compute += budget.compute * weight;
  for (std::size_t i = 0; i < sum.exposed.size(); ++i)
    sum.exposed[i] += budget.exposed[i] * weight;
  for (std::size_t i = 0; i < sum.bubbles.size(); ++i)
    sum.bubbles[i] += budget.bubbles[i] * weight;
}

} // namespace

double TimeBudget::exposed_communication() const {
  return std::accumulate(exposed.begin(), exposed.end(), 0.0);
}

double TimeBudget::bubble() const {
  return std::accumulate(bubbles.begin(), bubbles.end(), 0.0);
}

TimeBudgets time_budgets(const record::RunRecord& run) {
  const record::RankTable& ranks = run.ranks;
  const RowMeanings meanings(run.tasks);
  TimeBudgets budgets;
  budgets.ranks.resize(ranks.size());
  std::vector<std::uint32_t> simulated;
  for (std::uint32_t rank = 0; rank < ranks.size(); ++rank)
    if (ranks.representative[rank] == rank)
      simulated.push_back(rank);
  const std::vector<std::vector<Bubble>> bubbles = BubbleFinder(run).bubbles(simulated);
  for (std::size_t i = 0; i < simulated.size(); ++i)
    budgets.ranks[simulated[i]] = budget_of(run, simulated[i], meanings, bubbles[i]);

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
