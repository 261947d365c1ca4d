// The scenarios that ship with moesim.
#pragma once

#include <filesystem>

namespace moesim::testing {

inline const std::filesystem::path shipped_scenarios = MOESIM_TEST_DIR "/../../workloads/scenarios";

} // namespace moesim::testing
