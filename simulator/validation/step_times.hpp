// How long the steps of a server take, from batches that moesim simulates.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simulator/record/run_record.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/server.hpp"

namespace moesim::validation {

// A model on its GPUs, without a batch: a scenario is made by adding one. `dp` replicas do the same at a time.
struct Deployment {
  std::string id;
  std::string scenario; // YAML
  std::vector<std::string> assignments;
  std::int64_t dp = 1;
  Seconds launch_time{}; // what a kernel costs the host in steps with prompts; those that decode are CUDA graphs
  Seconds kernel_gap{};  // of those graphs' kernels; 0: that of the GPU
};

// Of one replica.
struct Batch {
  std::int64_t sequences = 1;
  std::int64_t prompt_length = 1;
  std::int64_t output_length = 1;
};

[[nodiscard]] scenario::Scenario scenario_of(const Deployment& deployment, const Batch& batch);

// The whole batch, simulated on links that nobody else uses: its collectives follow each other.
[[nodiscard]] record::RunFigures figures_of(const scenario::Scenario& scenario);

// Of a server with up to `batch.sequences` under way. Decode steps are known for few, some and all sequences, at the
// start, after the prompt and at the end. A step that tries drafted tokens has products over all of them and attention
// for the sequences; each token is drafted by one more layer (DeepSeek-V3, arXiv 2412.19437, section 2.2).
[[nodiscard]] StepTimes step_times(const Deployment& deployment, const Batch& batch, const Policy& policy);

// Sequences whose keys and values fit beside the weights of a replica into `share` of the memory of each GPU. Layers
// with a window have room for that, or for the whole sequence as the others.
enum class WindowCache : std::uint8_t { Window, Whole };
[[nodiscard]] std::int64_t sequences_in_memory(const Deployment& deployment, const Batch& batch, double share,
                                               WindowCache windows = WindowCache::Window);

} // namespace moesim::validation
