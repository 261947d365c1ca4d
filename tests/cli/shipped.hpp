// The scenarios that ship with moesim, as the tests run them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace moesim::testing {

inline const std::filesystem::path shipped_scenarios = MOESIM_TEST_DIR "/../../workloads/scenarios";

// What keeps a test short without changing what the scenario is about (fewer micro-batches), as a value of --set.
inline std::string shortened(std::string_view name) {
  return name == "deepseek-v3-h800x2048" ? "training.global_batch_size=1024" // 8 micro-batches of 120
                                         : "version=1";                      // nothing
}

} // namespace moesim::testing
