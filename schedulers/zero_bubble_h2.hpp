// ZB-H2 (Zero Bubble, arXiv 2401.10241, section 2.3): stage s starts with 2 (p - s) - 1 forwards, as many as fit before
// its first backward, and goes on with B, W and F in turn. Towards the end the last 2 s backwards of the weights that
// stand beside a forward wait until all else is done, so that the gradients of the input arrive as fast as the stages
// before, which have no forwards left, can use them. At most 2p - 1 micro-batches are in flight.
//
// With free communication, F = B = W (B: the gradient of the input) and m >= 2p - 1 no stage waits once it has started:
// each is busy for m (F + B + W). The last one ends (p - 1) F after that, because it starts so late, which no order can
// beat; so it is wherever B <= F. The optimizer step must not wait for all stages at the same time, or the (p - 1) F
// return in every iteration (the paper's section 4).
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder zero_bubble_h2(const ScheduleShape& shape);

} // namespace moesim::schedulers
