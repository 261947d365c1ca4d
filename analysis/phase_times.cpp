#include "analysis/phase_times.hpp"

namespace moesim::analysis {
namespace {

std::vector<double> times_of(const record::TaskTable& tasks, record::RowRange rows, const RowMeanings& meanings) {
  std::vector<double> times(tasks.phases.size(), 0);
  double counted = 0; // up to here
  for (std::size_t row = rows.first; row < rows.last; ++row) {
    if (!meanings.is_of_stage(row) || tasks.end[row] <= counted)
      continue;
    times[tasks.phase[row]] += tasks.end[row] - std::max(tasks.start[row], counted);
    counted = tasks.end[row];
  }
  return times;
}

} // namespace

PhaseTimes::PhaseTimes(const record::RunRecord& run, const RowMeanings& meanings) : ranks_(run.ranks.size()) {
  const record::RankTable& ranks = run.ranks;
  std::vector<double> ranks_of_stage;
  for (std::uint32_t rank = 0; rank < ranks.size(); ++rank) {
    const std::uint32_t representative = ranks.representative[rank];
    if (ranks_[representative].empty())
      ranks_[representative] = times_of(run.tasks, rows_of(run, rank), meanings);
    const std::uint32_t stage = ranks.pp[rank];
    if (stage >= stages_.size()) {
      stages_.resize(stage + 1, std::vector<double>(run.tasks.phases.size(), 0));
      ranks_of_stage.resize(stage + 1, 0);
    }
    ++ranks_of_stage[stage];
    for (std::size_t phase = 0; phase < run.tasks.phases.size(); ++phase)
      stages_[stage][phase] += ranks_[representative][phase];
  }
  for (std::size_t stage = 0; stage < stages_.size(); ++stage)
    for (double& time : stages_[stage])
      time /= ranks_of_stage[stage];
}

} // namespace moesim::analysis
