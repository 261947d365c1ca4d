// What became of the token copies of a run: by layer and expert, and by layer, micro-batch and expert rank.
#pragma once

#include "simulator/record/run_record.hpp"
#include "simulator/scenario/scenario.hpp"
#include "workloads/expert_loads.hpp"

namespace moesim::run {

// Of all ranks and micro-batches, in whole runs: counts are scaled to the tokens that the run has (a rank whose tokens
// are not a whole number has some more).
[[nodiscard]] record::ExpertLoad expert_record(const scenario::Scenario& scenario, const workloads::ExpertLoads& loads);

} // namespace moesim::run
