// 1F1B: after a warm-up of as many forwards as there are later stages, each stage alternates one forward and one
// backward, so that at most (stages - stage) micro-batches are in flight. PipeDream-Flush (arXiv 2006.09503), as in
// Megatron-LM (arXiv 2104.04473, section 2.2.1). With free communication it takes (m + p - 1)(F + B).
//
// Where each forward runs together with the backward behind it, the last stage needs a forward more, because the two
// must be of different micro-batches. Then a pair of each stage waits for one of the next stage, which must not wait
// for the same pair: the warm-up grows by at least one forward from stage to stage. With one, neighbours take turns;
// with two, 2 (stages - stage) - 1 in all, they run at the same time, and it takes (m + p - 1)(F + B) as before, with
// up to 2 (stages - stage) micro-batches in flight.
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder one_forward_one_backward(const ScheduleShape& shape);

} // namespace moesim::schedulers
