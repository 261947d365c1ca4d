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
};

// Of one replica.
struct Batch {
  std::int64_t sequences = 1;
  std::int64_t prompt_length = 1;
  std::int64_t output_length = 1;
};

[[nodiscard]] scenario::Scenario scenario_of(const Deployment& deployment, const Batch& batch);

// The whole batch, simulated on links that nobody else uses: its collectives follow each other.
[[nodiscard]] record::RunFigures figures_of(const Deployment& deployment, const Batch& batch);

// Of a server with up to `batch.sequences` under way, which takes up to `tokens_per_step` of prompts at once. Decode
// steps are known for few, some and all sequences, at the start, after the prompt and at the end.
[[nodiscard]] StepTimes step_times(const Deployment& deployment, const Batch& batch, std::int64_t tokens_per_step);

// Sequences whose keys and values fit beside the weights of a replica into `share` of the memory of each GPU.
[[nodiscard]] std::int64_t sequences_in_memory(const Deployment& deployment, const Batch& batch, double share);

} // namespace moesim::validation
