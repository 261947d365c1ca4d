// DualPipe (DeepSeek-V3, arXiv 2412.19437, section 3.2.1; deepseek-ai/DualPipe): two copies of the model, half of the
// micro-batches from either end. Forwards run together with backwards of the other direction, to hide what they send.
// Micro-batches 0..m/2-1 go from the first stage to the last (chunk 0), the others back (chunk 1); every stage holds
// the activations of at most p + 1, and twice the parameters. p and m are even, m >= 2p.
//
// The published bubble is (p/2 - 1)(F&B + B - 3W), B the whole backward. With free communication and F&B = F + B it
// takes m (F + B) + that where the gradient of the input costs F and W <= F. It takes no less where that gradient costs
// less than F, and no more where it costs more: passes of the two directions meet earlier or later.
#pragma once

#include <string>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder dualpipe(const ScheduleShape& shape);
[[nodiscard]] std::string dualpipe_refusal(const ScheduleShape& shape);

} // namespace moesim::schedulers
