// Interleaved 1F1B (Megatron-LM, arXiv 2104.04473, section 2.2.2): each stage runs v chunks of the model, group of
// micro-batches after group, each group through chunk after chunk. The warm-up is as in Megatron Core's schedules.py:
// two forwards for each later stage, and a group for each chunk but the last; where forwards run together with
// backwards, one forward more. With free communication it takes m (F + B) + (p - 1)(F + B) / v where p divides m, fused
// or not.
//
// A group has p micro-batches, so that the first is back for the next chunk when the last has left. Where p does not
// divide m, floor(m / p) groups share the micro-batches, the larger ones first; below p micro-batches there is one.
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder interleaved_one_forward_one_backward(const ScheduleShape& shape);

} // namespace moesim::schedulers
