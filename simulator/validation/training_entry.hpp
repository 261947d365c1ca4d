// Steps of training: each entry becomes a scenario, which is simulated, folded.
#pragma once

#include "simulator/validation/aliases.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/question.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// `vocabulary` must outlive the question. Throws Unpredictable.
[[nodiscard]] Question training_question(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary);

} // namespace moesim::validation
