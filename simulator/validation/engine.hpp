// What an engine does besides what an entry says of it: its defaults, and what a benchmark is known to give its
// servers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/validation/entry.hpp"
#include "simulator/validation/server.hpp"
#include "simulator/validation/step_times.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

struct Engine {
  Policy policy;
  double memory = 1; // share that weights and cache may fill
  WindowCache windows = WindowCache::Window;
  Seconds launch_time;           // of a kernel, in steps with prompts
  Seconds kernel_gap;            // of CUDA graphs' kernels; 0: that of the GPU
  std::string kv_cache;          // its precision, of models in FP8 and less
  std::vector<std::string> wide; // fields of the scenario where experts are spread over several nodes
};

// Of the first rule for the engine and, where the source is known to set something else, of the first rule for its
// servers. Throws Unpredictable where no rule knows the engine, or where a row is known not to be what it says.
[[nodiscard]] Engine engine_of(const Entry& entry, const std::string& hardware, const Vocabulary& vocabulary);

} // namespace moesim::validation
