// What to change when a model does not fit.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "simulator/base/units.hpp"

namespace moesim::scenario {

// One change by itself, as `--set` takes it, and the memory that the fullest GPU needs then by the estimate of
// workloads::stage_memories().
struct MemoryAdvice {
  std::vector<std::string> assignments; // "training.recompute=full"
  Bytes peak;
};

// The changes that save memory, the most effective first: sharding, recomputation, smaller micro-batches, and twice as
// many tensor, pipeline, context or expert ranks instead of data-parallel ones. Only those that load(file, assignments
// and change) accepts.
[[nodiscard]] std::vector<MemoryAdvice> memory_advice(const std::filesystem::path& file,
                                                      std::span<const std::string> assignments);

} // namespace moesim::scenario
