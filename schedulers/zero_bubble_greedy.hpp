// Orders with backwards split in two, made by running them: whenever a stage is free, it takes a pass that it can run
// by then. What it prefers is the heuristic of Zero Bubble (arXiv 2401.10241, section 3.1): its choices are these
// rules. The lead is an addition that spans what lies between 1F1B's warm-up (ZB-H1) and twice as much (ZB-H2).
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

struct GreedyRules {
  double lead = 1;                 // forwards that a stage may be ahead of its backwards: 1, and `lead` per later stage
  bool backward_first = false;     // of a forward and a backward that could both run; else they alternate
  bool waits_for_backward = false; // starts no forward that would delay a backward which is on its way
  bool skips_forwards = false;     // runs weights rather than get more than one forward ahead of the next stage
  bool fills_small_gaps = false;   // with weights that delay what is on its way; else only where it has waited longest
};

// Gaps are filled with backwards of weights, and memory is made room in by them. At most `max_in_flight` micro-batches
// are in flight, at least 1.
[[nodiscard]] PipelineOrder greedy_zero_bubble(const ScheduleShape& shape, std::int64_t max_in_flight,
                                               const GreedyRules& rules);

} // namespace moesim::schedulers
