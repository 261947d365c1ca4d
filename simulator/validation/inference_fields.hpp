// What an inference entry says, as the deployment that serves, and the work that it serves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulator/validation/aliases.hpp"
#include "simulator/validation/engine.hpp"
#include "simulator/validation/entry.hpp"
#include "simulator/validation/server.hpp"
#include "simulator/validation/step_times.hpp"
#include "simulator/validation/system.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {

// Served: clients keep some requests under way. Offline: all are there at the start, and memory says how many run.
// Prefill, Decode: a batch of one phase by itself, over and over.
enum class Serving : std::uint8_t { Served, Offline, Prefill, Decode };

struct InferenceFields {
  System system;
  Deployment deployment;
  Serving serving = Serving::Served;
  Batch batch;     // of a replica; at most, where clients come and go
  Clients clients; // of a replica
  Engine engine;
  double gpus_of_replica = 1;
  double gpus_of_node = 1;
  std::string precision;
  std::vector<std::string> assumptions;
};

// Throws Unpredictable where the source says too little, or what nothing predicts.
[[nodiscard]] InferenceFields inference_fields(const Entry& entry, const Aliases& aliases,
                                               const Vocabulary& vocabulary);

} // namespace moesim::validation
