// How much memory a rank of each stage needs, without simulating: what it holds throughout, and the fullest moment of
// its program when nothing runs beside anything else but what collectives receive, and gradients that they reduce.
#pragma once

#include <vector>

#include "simulator/graph/memory_use.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

struct StageMemory {
  graph::MemoryUse at_rest; // before the first micro-batch and after the last
  graph::MemoryUse at_peak;
};

// Of each stage; where experts have unequal loads, of its rank that needs the most. The cache of inference is not there
// at rest: it grows with the steps.
[[nodiscard]] std::vector<StageMemory> stage_memories(const InferenceJob& job, const ExpertLoads& loads = {});
[[nodiscard]] std::vector<StageMemory> stage_memories(const TrainingJob& job, const ExpertLoads& loads = {});

// Of the fullest stage at rest; in microseconds, as it builds no program.
[[nodiscard]] Bytes memory_at_rest(const TrainingJob& job);
[[nodiscard]] Bytes memory_at_rest(const InferenceJob& job);

} // namespace moesim::workloads
