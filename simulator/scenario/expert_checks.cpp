#include <string>

#include <fmt/format.h>

#include "simulator/scenario/checks.hpp"

namespace moesim::scenario {
namespace {

// Each is a list of kernels for every step that the tokens of its rank decide.
constexpr double most_loads = 1e5;

std::int64_t micro_batches_of(const Scenario& scenario) {
  return scenario.is_training() ? scenario.training_job().training.micro_batches(scenario.job().sizes)
                                : scenario.inference_job().inference.micro_batches(scenario.job().sizes);
}

} // namespace

void check_experts(const Scenario& scenario, Sections at) {
  const workloads::Job& job = scenario.job();
  if (!job.model.moe || job.model.moe->num_experts % job.sizes.ep != 0)
    return;
  const workloads::LoadOptions& load = job.moe.load;
  const std::string refused = refusal(workloads::placement_shape(load, *job.model.moe, job.sizes.ep, 1));
  if (!refused.empty())
    at.moe.problem("redundant_experts", refused);
  const double loads = static_cast<double>(job.model.layers_with_experts()) *
                       static_cast<double>(micro_batches_of(scenario)) *
                       static_cast<double>(job.sizes.world() / job.sizes.pp);
  if (load.routing.counts == workloads::TokenCounts::Sampled && loads > most_loads)
    at.moe.problem("routing",
                   fmt::format("sampled counts of {:.2g} ranks, layers and micro-batches are different ones, "
                               "and one run takes at most {:.0g}; use sampled: false, or a smaller batch",
                               loads, most_loads));
}

} // namespace moesim::scenario
