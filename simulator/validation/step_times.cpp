#include "simulator/validation/step_times.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "workloads/kv_cache.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::validation {
namespace {

constexpr std::int64_t no_context = 1; // tokens: attention to so few costs nothing

double time_of_prompts(const Deployment& deployment, std::int64_t sequences, std::int64_t length) {
  scenario::Scenario scenario =
      scenario_of(deployment, {.sequences = sequences, .prompt_length = length, .output_length = 1});
  scenario.launch.forward = deployment.launch_time;
  return figures_of(scenario).ttft;
}

double time_of_tokens(const Deployment& deployment, std::int64_t sequences, std::int64_t context) {
  scenario::Scenario scenario =
      scenario_of(deployment, {.sequences = sequences, .prompt_length = context, .output_length = 2});
  if (deployment.kernel_gap > Seconds(0))
    scenario.cluster.gpu.launch_overhead = deployment.kernel_gap;
  return figures_of(scenario).tpot;
}

double time_with_drafts(const Deployment& deployment, std::int64_t sequences, std::int64_t context,
                        std::int64_t drafted) {
  const double alone = time_of_tokens(deployment, sequences, context);
  if (drafted == 0)
    return alone;
  const double products = time_of_tokens(deployment, sequences * (1 + drafted), no_context);
  const double attention = alone - time_of_tokens(deployment, sequences, no_context);
  const auto layers = static_cast<double>(scenario_of(deployment, {}).job().model.num_layers);
  return products + attention + static_cast<double>(drafted) * alone / layers;
}

// In the cache of the stage with the most layers.
double bytes_of_whole_sequence(const workloads::InferenceJob& job) {
  std::int64_t layers = 0;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    layers = std::max(layers, job.layers_of(stage));
  const std::int64_t tokens = layers * job.inference.cached_after(job.inference.output_length);
  return static_cast<double>(tokens * workloads::kv_elements(job.model, job.sizes.tp)) *
         bytes_per_element(job.inference.kv_cache_precision);
}

} // namespace

scenario::Scenario scenario_of(const Deployment& deployment, const Batch& batch) {
  std::vector<std::string> assignments = deployment.assignments;
  assignments.push_back(fmt::format("inference.batch_size={}", batch.sequences * deployment.dp));
  assignments.push_back(fmt::format("inference.prompt_length={}", batch.prompt_length));
  assignments.push_back(fmt::format("inference.output_length={}", batch.output_length));
  return scenario::parse(deployment.scenario, deployment.id, assignments);
}

record::RunFigures figures_of(const scenario::Scenario& scenario) {
  execution::IdealExecutor executor;
  return run::simulate(scenario, executor, {}).figures;
}

StepTimes step_times(const Deployment& deployment, const Batch& batch, const Policy& policy) {
  StepTimes times;
  const std::int64_t together =
      std::max<std::int64_t>(2, std::min(batch.sequences, policy.tokens_per_step / batch.prompt_length));
  for (const std::int64_t prompts : {std::int64_t{1}, together})
    times.prompts.emplace_back(static_cast<double>(prompts * batch.prompt_length),
                               time_of_prompts(deployment, prompts, batch.prompt_length));
  for (const std::int64_t context : {no_context, batch.prompt_length, batch.prompt_length + batch.output_length}) {
    StepTimes::Decode& decode = times.decode.emplace_back();
    decode.context = static_cast<double>(context);
    for (const std::int64_t sequences : std::set{std::int64_t{1}, (batch.sequences + 3) / 4, batch.sequences})
      decode.by_sequences.emplace_back(static_cast<double>(sequences),
                                       time_with_drafts(deployment, sequences, context, policy.drafted));
  }
  return times;
}

std::int64_t sequences_in_memory(const Deployment& deployment, const Batch& batch, double share, WindowCache windows) {
  const scenario::Scenario scenario = scenario_of(deployment, batch);
  const workloads::InferenceJob& job = scenario.inference_job();
  const double left = share * scenario.cluster.gpu.memory_capacity.value() - workloads::memory_at_rest(job).value();
  const double each = windows == WindowCache::Whole
                          ? bytes_of_whole_sequence(job)
                          : workloads::kv_cache_bytes(job).value() / static_cast<double>(batch.sequences);
  return static_cast<std::int64_t>(left / each);
}

} // namespace moesim::validation
