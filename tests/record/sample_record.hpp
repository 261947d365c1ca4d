// A made-up training run with the shape of a real one: a 1F1B pipeline, layers with tensor- and expert-parallel
// communication, a gradient reduction, an optimizer step, memory, links, throughput and expert loads.
#pragma once

#include <cstdint>

#include "simulator/record/run_record.hpp"

namespace moesim::testing {

struct SampleShape {
  std::uint32_t stages = 4;
  std::uint32_t micro_batches = 8;
  std::uint32_t layers_per_stage = 3;
  std::uint32_t ranks_per_stage = 2;
  bool folded = true; // one representative per stage
};

[[nodiscard]] record::RunRecord sample_record(const SampleShape& shape = {});

} // namespace moesim::testing
