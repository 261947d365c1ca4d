// How long ranks and stages work on each phase (forward, backward, ...) of a run: the pace by which stages and ranks
// are compared.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/activity.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// Seconds over the whole run in which a rank computes or communicates within its stage (tp, cp, ep) for a phase; what
// overlaps counts once. Waiting for late members of a collective is no part of it: a collective starts with the last.
class PhaseTimes {
public:
  PhaseTimes(const record::RunRecord& run, const RowMeanings& meanings);

  [[nodiscard]] std::size_t stage_count() const { return stages_.size(); }
  // Of a rank that stands for itself.
  [[nodiscard]] double of_rank(std::uint32_t rank, std::uint8_t phase) const { return ranks_[rank][phase]; }
  // Mean over the ranks of the stage.
  [[nodiscard]] double of_stage(std::uint32_t stage, std::uint8_t phase) const { return stages_[stage][phase]; }

private:
  std::vector<std::vector<double>> ranks_;  // [rank][phase]; empty where another rank represents it
  std::vector<std::vector<double>> stages_; // [stage][phase]
};

} // namespace moesim::analysis
