// What a framework's published recipe sets for a model on a GPU (vocabulary/recipes.yaml), where an entry that was
// measured with it leaves that open.
#pragma once

#include "simulator/validation/training_fields.hpp"

namespace moesim::validation {

// Fills in the fields of the entry that are absent or null, and notes which; of a framework without recipes, or a model
// that they do not know, nothing. Takes framework, release, hardware and precision as given.
void complete_by_recipe(TrainingFields& fields, const Vocabulary& vocabulary);

} // namespace moesim::validation
