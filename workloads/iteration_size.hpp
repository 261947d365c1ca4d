// How large an iteration is, without building all of it.
#pragma once

#include <cstdint>

#include "workloads/training.hpp"

namespace moesim::workloads {

// Rows of the task table: every step of a stage's program is one row on each rank of the stage. Each micro-batch adds
// as many as the one before.
[[nodiscard]] std::int64_t row_count(const TrainingJob& job);

// FLOPs that are executed over those that would be without recomputation, at least 1: what lies between the FLOPs of a
// model and those of the hardware (Narayanan et al., arXiv 2104.04473, appendix).
[[nodiscard]] double recompute_factor(const TrainingJob& job);

} // namespace moesim::workloads
