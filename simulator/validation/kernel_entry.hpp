// Kernels that were measured alone: products, grouped products, attention.
#pragma once

#include "simulator/validation/entry.hpp"
#include "simulator/validation/question.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// Throws Unpredictable when nothing of it can be predicted.
[[nodiscard]] Question kernel_question(const Entry& entry, const Vocabulary& vocabulary);

} // namespace moesim::validation
