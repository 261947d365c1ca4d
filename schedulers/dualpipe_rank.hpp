// What one rank of DualPipe or of DualPipeV does (DeepSeek-V3, arXiv 2412.19437, section 3.2.1; deepseek-ai/DualPipe).
// Micro-batches come from two sides. DualPipe has a copy of the model for each direction; DualPipeV is one half of it,
// folded at the middle, where what leaves in one direction comes back in the other.
#pragma once

#include <cstdint>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

struct DualPipeRank {
  std::int64_t from_end = 0;      // ranks between this one and the nearer end of the pipeline
  std::int64_t from_middle = 0;   // ranks between this one and the middle
  std::int64_t micro_batches = 0; // of each direction; requires 2 (from_end + from_middle + 1) of them
  std::int32_t near_chunk = 0;    // runs the micro-batches that enter at the nearer end; the other one, the rest
  std::int64_t first_of_second_chunk = 0; // the micro-batch that chunk 1 begins with
};

[[nodiscard]] std::vector<PipelinePass> dualpipe_passes(const DualPipeRank& rank);

} // namespace moesim::schedulers
