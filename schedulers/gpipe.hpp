// GPipe: every forward, then every backward (Huang et al., arXiv 1811.06965). All micro-batches of a stage are in
// flight at once. With equal stages and free communication it takes (m + p - 1)(F + B), as 1F1B does.
#pragma once

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

[[nodiscard]] PipelineOrder gpipe(const ScheduleShape& shape);

} // namespace moesim::schedulers
