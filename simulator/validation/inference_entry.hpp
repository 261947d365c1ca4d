// Serving of a fixed batch: prompts and answers of one length, as many at a time as the entry says.
#pragma once

#include "simulator/validation/aliases.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/question.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// One batch whose prompts are all there at the start is simulated; what a server that replaces each request as it ends
// makes of the same work is derived from it. Throws Unpredictable.
[[nodiscard]] Question inference_question(const Entry& entry, const Aliases& aliases, const Vocabulary& vocabulary);

} // namespace moesim::validation
