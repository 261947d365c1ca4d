// 1F1B: after a warm-up of as many forwards as there are later stages, each stage alternates one forward and one
// backward, so that at most (stages - stage) micro-batches are in flight. PipeDream-Flush (arXiv 2006.09503), as in
// Megatron-LM (arXiv 2104.04473, section 2.2.1). With equal stages and free communication it takes (m + p - 1)(F + B).
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder one_forward_one_backward(const ScheduleShape& shape);

} // namespace moesim::schedulers
