// DualPipeV (deepseek-ai/DualPipe): DualPipe's half, folded at the middle. Two chunks on each stage, the second one on
// the way back, so that there is one copy of the model only. Micro-batches all enter at the first stage; m >= 2p.
//
// Here p counts ranks: the published PP is 2p, and its F, B and W are those of a chunk. So it takes
// m (F + B) + (p - 1)(F&B + B - 3W) / 2 under dualpipe.hpp's conditions, with those of a whole stage, and every stage
// holds the activations of at most 2p + 1 chunks, p + 1/2 micro-batches.
#pragma once

#include <string>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder dualpipe_v(const ScheduleShape& shape);
[[nodiscard]] std::string dualpipe_v_refusal(const ScheduleShape& shape);

} // namespace moesim::schedulers
