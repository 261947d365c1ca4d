// What every RunRecord obeys, whether it was simulated or read from a file that somebody else made.
#pragma once

#include <string>

#include "simulator/record/run_record.hpp"

namespace moesim::record {

// The first rule that `run` breaks, such as "tasks: columns differ in length"; empty when it breaks none.
[[nodiscard]] std::string first_defect(const RunRecord& run);

} // namespace moesim::record
