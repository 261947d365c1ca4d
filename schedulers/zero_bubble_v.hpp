// ZB-V (Zero Bubble, arXiv 2401.10241, and Pipeline Parallelism with Controllable Memory, arXiv 2405.15362): two chunks
// on each stage, the second one on the way back, so that the first stage also has the last part of the model. Of two
// chunks the one has just begun where the other is about to end, so that every stage holds the activations of at most p
// micro-batches (2p chunks), as 1F1B's first stage.
//
// With free communication, F = B = W (B: the gradient of the input) and m >= 2p - 1 no stage waits once it has started,
// and it takes m (F + B + W) + (p - 1) F / 2, which no order can beat: the last stage starts after p - 1 chunk
// forwards. It ends as early where F = B and W <= F. Below 2p - 1 micro-batches it is the same order without those that
// are not there.
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder zero_bubble_v(const ScheduleShape& shape);

} // namespace moesim::schedulers
