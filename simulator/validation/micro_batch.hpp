// How many sequences of a step run at a time, where a source says it in one of several ways, or not at all.
#pragma once

#include <cstdint>
#include <optional>

#include "simulator/validation/training_fields.hpp"

namespace moesim::validation {

// Needs tp and pp.
[[nodiscard]] std::int64_t micro_batch_size(const TrainingFields& fields, const Degrees& degrees);

// How many copies of the model there are, at least 1. Needs tp and pp.
[[nodiscard]] std::int64_t replicas(const TrainingFields& fields, const Degrees& degrees);

// How many sequences of a step a replica has, where its rule has it take as many at a time as fit into memory: the
// source leaves that open, but no degree, and no pipeline cuts them.
[[nodiscard]] std::optional<std::int64_t> sequences_to_fit(const TrainingFields& fields);

// Neither the source nor the rule says anything.
[[nodiscard]] bool assumes_one_sequence(const TrainingFields& fields);

} // namespace moesim::validation
