// What the fields that sums can name are worth in a scenario.
#pragma once

#include "simulator/claims/field.hpp"
#include "simulator/scenario/scenario.hpp"

namespace moesim::audit {

// In base units.
[[nodiscard]] double value_of(claims::Field field, const scenario::Scenario& scenario);

} // namespace moesim::audit
