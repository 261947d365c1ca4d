// An order with backwards split in two, searched for given costs of each stage, transfer time and memory
// (ScheduleShape), with the heuristic of Zero Bubble (arXiv 2401.10241, section 3.1): greedy orders of every
// combination of its choices, and ZB-H1, ZB-H2 and 1F1B with split backwards where memory allows; of all of them the
// one that time_passes() says ends first. So it is never worse than these, and the same shape gives the same order.
//
// Activations are held whole until the backward of the weights; the paper lets go of some after that of the input, so
// that its ZB-2p has more micro-batches in flight in the same memory.
#pragma once

#include <string>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder zero_bubble_auto(const ScheduleShape& shape);
// Shapes for which the search would take more than some ten seconds.
[[nodiscard]] std::string zero_bubble_auto_refusal(const ScheduleShape& shape);

} // namespace moesim::schedulers
