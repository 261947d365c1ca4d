// The scenarios that ship with moesim, as the tests run them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace moesim::testing {

inline const std::filesystem::path shipped_scenarios = MOESIM_TEST_DIR "/../../workloads/scenarios";

// Options that keep a test short without changing what the scenario is about: fewer micro-batches, fewer replicas.
inline std::vector<std::string> shortened(std::string_view name) {
  if (name == "deepseek-v3-h800x2048") // 8 micro-batches of 120
    return {"--set", "training.global_batch_size=1024"};
  if (name == "llama-3-405b-h100x16384") // 2 replicas of 128, 4 micro-batches of 16
    return {"--set", "platform.nodes=32", "--set", "parallel.dp=2", "--set", "training.global_batch_size=8"};
  if (name == "moe-h100x100352") // 64 replicas of 6,272, 4 micro-batches of 32
    return {"--set", "platform.nodes=128", "--set", "parallel.dp=64", "--set", "training.global_batch_size=256"};
  return {};
}

} // namespace moesim::testing
