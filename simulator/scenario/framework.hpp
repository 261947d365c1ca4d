// What a training framework does unless a scenario says otherwise: a part of a scenario in the catalogue
// (workloads/frameworks), or a file of one's own.
#pragma once

#include "simulator/base/input_error.hpp"
#include "simulator/config/node.hpp"

namespace moesim::scenario {

// The scenario laid over what its `framework` sets, where it names one; `with_pipeline` of the framework counts where
// the scenario has pp > 1. Problems are those of finding and reading the framework's file, of a section that it does
// not have, and of a scenario of inference.
[[nodiscard]] config::Node over_framework(const config::Node& scenario, Problems& problems);

} // namespace moesim::scenario
