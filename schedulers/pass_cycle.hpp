// Whether the passes of an order wait for each other in a circle, so that none of them can ever run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"

namespace moesim::schedulers {

// How transfers are posted. Eager: one starts when its data exists. Rendezvous: it starts when, besides, the receiver
// has finished the pass before the one that needs it, and the sender's next pass waits for its end (Megatron's batched
// isend and irecv).
enum class Posting : std::uint8_t { Eager, Rendezvous };

struct StagePass {
  std::int64_t stage = 0;
  PipelinePass pass;
};

// The passes of a circle of passes that wait for each other, in the order in which they do: each for the next one, the
// last for the first. Passes that run together are listed together, with the stage of each. Empty: there is no circle.
// Requires places and micro-batches that exist; a pass that the order lacks is waited for by nobody.
[[nodiscard]] std::vector<StagePass> cycle(const PipelineOrder& order, const Chunks& chunks, Posting posting);

// "passes wait for each other in a circle: stage 0 F1&B0 for stage 1 B0 for stage 1 F1 for stage 0 F1&B0"
[[nodiscard]] std::string describe(const std::vector<StagePass>& circle, const Chunks& chunks);

} // namespace moesim::schedulers
