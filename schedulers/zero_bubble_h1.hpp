// ZB-H1 (Zero Bubble, arXiv 2401.10241, section 2.2): 1F1B with backwards split in two. Stage s runs the backward of
// the weights s micro-batches late, which lets the gradients of the input through to the stages before, and fills the
// bubble at the end. At most p micro-batches are in flight on every stage, as on the first one of 1F1B.
//
// With free communication it takes m (F + B + W) + (p - 1)(F + B - W) where m >= p and W <= F, whatever B is (B: the
// gradient of the input), and (m + p - 1)(F + B) + W where m <= p and W <= B (appendix H).
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder zero_bubble_h1(const ScheduleShape& shape);

} // namespace moesim::schedulers
