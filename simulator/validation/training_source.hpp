// What a training entry was measured with: framework, release, precision.
#pragma once

#include <string>
#include <vector>

#include "simulator/validation/entry.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// The rule for the framework that the entry's source and fields name; the last rule is for any. Of a source that adds
// one thing after the other, what the steps up to the entry's own say is in it; a step that no words match is assumed
// to come after all others.
[[nodiscard]] config::Node framework_of(const Entry& entry, const Vocabulary& vocabulary,
                                        std::vector<std::string>& assumptions);

// "25.11", as the source prints it; empty where it does not.
[[nodiscard]] std::string release_of(const Entry& entry, const Vocabulary& vocabulary);

// Of products, as a scenario names it: the entry's, or its framework's, or BF16. Throws Unpredictable when no rule
// knows it, or moesim has no rates of it.
[[nodiscard]] std::string precision_of(const Entry& entry, const config::Node& framework, const Vocabulary& vocabulary);

} // namespace moesim::validation
