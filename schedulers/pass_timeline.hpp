// When the passes of an order run, by themselves: no network, no kernels, a fixed time for each. What `moesim schedule`
// draws, what searches for an order look at, and the test of every published formula.
#pragma once

#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

struct PassTime {
  double start = 0;
  double end = 0;
};

struct PassTimeline {
  std::vector<std::vector<PassTime>> passes; // as the order lists them
  double makespan = 0;                       // end of the last pass
  double stage_span = 0;                     // the longest time from a stage's first start to its last end
  double bubble_fraction = 0;                // 1 - sum of work / (stages x makespan)
  // Per stage, micro-batches whose activations it holds at most, from the start of their forward to the end of their
  // last backward pass; a chunk's count as its share.
  std::vector<double> peak_activations;
};

// A pass starts when the one before it on its stage has ended and what it needs is there: of a forward, the forward of
// the virtual stage before; of a backward, its own forward and the backward (of the input) of the virtual stage after;
// of a backward of weights, its backward of the input. What comes from another stage arrives `shape.transfer` after its
// pass has ended, which occupies nobody. Passes that run together start when both can, take as long as both, and end
// together. A chunk takes its share of shape.costs. Requires the order to have no cycle() (pass_cycle.hpp).
[[nodiscard]] PassTimeline time_passes(const PipelineOrder& order, const Chunks& chunks, const ScheduleShape& shape);

} // namespace moesim::schedulers
