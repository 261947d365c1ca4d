// Collectives that were measured alone: tables of nccl-tests, and of libraries that dispatch and combine tokens.
#pragma once

#include "simulator/validation/entry.hpp"
#include "simulator/validation/question.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// Throws Unpredictable when nothing of it can be predicted.
[[nodiscard]] Question collective_question(const Entry& entry, const Vocabulary& vocabulary);

// To how many of `places` (ranks or nodes, which hold as many experts each) a token goes on average when its `chosen`
// experts are drawn evenly from all `experts` on them: places (1 - C(experts - experts/places, chosen) / C(experts,
// chosen)).
[[nodiscard]] double places_of_token(double places, double experts, double chosen);

} // namespace moesim::validation
