// A trace that a routing model could have left: to look at, to change, and to replay.
#pragma once

#include <cstdint>

#include "workloads/expert_routing.hpp"
#include "workloads/inference.hpp"
#include "workloads/training.hpp"

namespace moesim::workloads {

struct SampleShape {
  std::int64_t iterations = 1;
  std::int64_t micro_batches = 1; // of an iteration
  std::int64_t tokens = 1;        // of a micro-batch, of all ranks together
};

[[nodiscard]] RoutingTrace routing_sample(const RoutingModel& routing, const ModelSpec& model,
                                          const SampleShape& shape);

// The sample of a job that has experts: its micro-batches, of inference the prefill, in all iterations up to the one
// that is simulated.
[[nodiscard]] RoutingTrace routing_sample(const TrainingJob& job);
[[nodiscard]] RoutingTrace routing_sample(const InferenceJob& job);

} // namespace moesim::workloads
