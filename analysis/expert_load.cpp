#include "analysis/expert_load.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace moesim::analysis {
namespace {

using Place = std::tuple<std::int32_t, std::int32_t, std::uint8_t, std::uint8_t>; // micro-batch, layer, phase, chunk
using StepId = std::pair<Place, std::size_t>; // a place can come again: decode steps

// The steps of a rank in order, with FLOPs as their load.
std::vector<std::pair<StepId, ExpertStep>> steps_of(const record::RunRecord& run, std::uint32_t rank) {
  const record::TaskTable& tasks = run.tasks;
  std::vector<std::pair<StepId, ExpertStep>> steps;
  std::map<Place, std::size_t> seen;
  const auto name = std::ranges::find(tasks.names, "experts") - tasks.names.begin();
  const auto [first, last] = record::rows_of(run, rank);
  for (std::size_t row = first; row < last; ++row) {
    if (tasks.flops[row] <= 0 || tasks.name[row] != name)
      continue;
    const Place place{tasks.micro_batch[row], tasks.layer[row], tasks.phase[row], tasks.chunk[row]};
    if (steps.empty() || steps.back().first.first != place)
      steps.push_back(
          {{place, seen[place]++},
           {tasks.start[row], tasks.end[row], 0, tasks.layer[row], tasks.micro_batch[row], tasks.phase[row]}});
    ExpertStep& step = steps.back().second;
    step.end = std::max(step.end, tasks.end[row]);
    step.load += tasks.flops[row];
  }
  return steps;
}

ExpertGroup group_of(const record::RunRecord& run, std::vector<std::uint32_t> ranks) {
  struct Work {
    double sum = 0;
    double most = 0;
  };
  std::map<StepId, Work> work;
  std::vector<std::vector<std::pair<StepId, ExpertStep>>> all;
  for (const std::uint32_t rank : ranks)
    for (const auto& [id, step] : all.emplace_back(steps_of(run, rank))) {
      work[id].sum += step.load;
      work[id].most = std::max(work[id].most, step.load);
    }

  ExpertGroup group{.ranks = std::move(ranks), .steps = {}, .max_over_mean = 0};
  const auto count = static_cast<double>(group.ranks.size());
  for (auto& steps : all) {
    std::vector<ExpertStep>& of_rank = group.steps.emplace_back();
    for (auto& [id, step] : steps) {
      step.load *= count / work[id].sum;
      of_rank.push_back(step);
    }
  }
  for (const auto& [id, of_step] : work)
    group.max_over_mean += of_step.most * count / of_step.sum / static_cast<double>(work.size());
  return group;
}

} // namespace

std::vector<double> relative_loads(const record::ExpertLoad& load) {
  std::vector<double> result(load.tokens.size());
  for (std::size_t row = 0; row < load.layers.size(); ++row) {
    const auto first = load.tokens.begin() + static_cast<std::ptrdiff_t>(row * load.experts);
    const double mean = std::accumulate(first, first + static_cast<std::ptrdiff_t>(load.experts), 0.0) /
                        static_cast<double>(load.experts);
    for (std::size_t i = row * load.experts; i < (row + 1) * load.experts && mean > 0; ++i)
      result[i] = load.tokens[i] / mean;
  }
  return result;
}

ExpertGroup least_even_group(const record::RunRecord& run) {
  const record::RankTable& table = run.ranks;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> groups;
  for (std::uint32_t rank = 0; rank < table.size(); ++rank)
    groups[{table.pp[rank], table.edp[rank], table.etp[rank]}].push_back(rank);

  ExpertGroup worst;
  std::set<std::vector<std::uint32_t>> seen; // groups that are folded onto the same ranks are alike
  for (auto& [place, ranks] : groups) {
    std::ranges::stable_sort(ranks, {}, [&](std::uint32_t rank) { return table.ep[rank]; });
    std::vector<std::uint32_t> representatives;
    for (const std::uint32_t rank : ranks)
      representatives.push_back(table.representative[rank]);
    if (!seen.insert(std::move(representatives)).second)
      continue;
    ExpertGroup group = group_of(run, ranks);
    if (group.max_over_mean > worst.max_over_mean + 1e-12)
      worst = std::move(group);
  }
  return worst;
}

} // namespace moesim::analysis
