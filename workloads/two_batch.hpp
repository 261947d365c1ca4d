// Two-batch overlap of inference: the sequences of a micro-batch are cut into two halves whose layers alternate. While
// tokens of one half are on their way to their experts or back, the other half computes (DeepSeek-V3, arXiv 2412.19437,
// section 3.4: two micro-batches, attention of one beside dispatch and combine of the other; SGLang,
// batch_overlap/two_batch_overlap.py, enable_two_batch_overlap).
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/stage_writer.hpp"

namespace moesim::workloads {

// Whether it is the other half that goes on while this runs: everything else stays in line.
[[nodiscard]] constexpr bool runs_beside_other_half(graph::Kind kind, graph::Dimension over) {
  return kind != graph::Kind::Compute && (over == graph::Dimension::Ep || over == graph::Dimension::Etp);
}

// Appends the steps of one half and, alike, of the other, in turns: a turn ends with communication that experts need,
// and the half's next turn waits for it. The steps know their micro-batch and layer.
void play_two_batches(StageWriter& writer, const std::vector<graph::Step>& of_half);

} // namespace moesim::workloads
