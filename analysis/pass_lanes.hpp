// The passes of a rank as a timeline shows them whole: side by side where they take turns on the GPU.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "analysis/gantt_lanes.hpp"
#include "simulator/record/run_record.hpp"

namespace moesim::analysis {

// The blocks of pass_blocks(), where two passes that take turns (a forward with a backward, as in DualPipe) are one
// block each, from their first turn to their last. Blocks of a lane are in order of time and do not overlap; the second
// lane has what overlaps with the first. Two are enough, because no third pass has a turn in between.
[[nodiscard]] std::array<std::vector<PassBlock>, 2> pass_lanes(const record::RunRecord& run, std::uint32_t rank);

} // namespace moesim::analysis
