#include "workloads/routing_sample.hpp"

#include <cmath>

namespace moesim::workloads {
namespace {

void add_row(const RoutingModel& routing, const MoeSpec& moe, const RoutingPlace& place, std::int64_t tokens,
             RoutingTrace& trace) {
  trace.iterations.push_back(static_cast<std::int32_t>(place.iteration));
  trace.layers.push_back(static_cast<std::int32_t>(place.layer));
  trace.micro_batches.push_back(static_cast<std::int32_t>(place.micro_batch));
  for (const std::int64_t copies : expert_copies(routing, moe, place, tokens))
    trace.tokens.push_back(static_cast<double>(copies));
}

// `tokens` of all micro-batches and ranks.
RoutingTrace sample_of(const Job& job, std::int64_t micro_batches, double tokens) {
  return routing_sample(job.moe.load.routing, job.model,
                        {.iterations = job.moe.load.iteration + 1,
                         .micro_batches = micro_batches,
                         .tokens = std::llround(tokens / static_cast<double>(micro_batches))});
}

} // namespace

RoutingTrace routing_sample(const RoutingModel& routing, const ModelSpec& model, const SampleShape& shape) {
  RoutingTrace trace;
  trace.experts = model.moe->num_experts;
  for (std::int64_t iteration = 0; iteration < shape.iterations; ++iteration)
    for (std::int64_t layer = 0; layer < model.num_layers; ++layer)
      for (std::int64_t micro_batch = 0; micro_batch < shape.micro_batches && model.kind_of(layer).has_experts;
           ++micro_batch)
        add_row(routing, *model.moe, {.iteration = iteration, .layer = layer, .micro_batch = micro_batch}, shape.tokens,
                trace);
  return trace;
}

RoutingTrace routing_sample(const TrainingJob& job) {
  return sample_of(job, job.training.micro_batches(job.sizes), job.training.tokens());
}

RoutingTrace routing_sample(const InferenceJob& job) {
  return sample_of(job, job.inference.micro_batches(job.sizes),
                   static_cast<double>(job.inference.batch_size * job.inference.prompt_length));
}

} // namespace moesim::workloads
