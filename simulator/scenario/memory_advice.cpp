#include "simulator/scenario/memory_advice.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/scenario/scenario.hpp"

namespace moesim::scenario {
namespace {

using Change = std::vector<std::string>;

// Twice as many ranks of a dimension, half as many replicas.
Change doubled(std::string_view dimension, std::int64_t size, const workloads::ParallelSizes& sizes) {
  return {fmt::format("parallel.{}={}", dimension, 2 * size), fmt::format("parallel.dp={}", sizes.dp / 2)};
}

std::vector<Change> changes_of(const workloads::TrainingJob& job) {
  std::vector<Change> changes{
      {"training.grad_reduce_in_fp32=false"},
      {"training.sharding=zero-1"},
      {"training.sharding=zero-2"},
      {"training.sharding=zero-3"},
      {fmt::format("training.recompute={{granularity: selective, modules: [layernorm{}{}]}}",
                   job.model.moe ? ", moe_act" : "", job.model.mla ? ", mla_up_proj" : "")},
      {fmt::format("training.recompute={{granularity: selective, modules: [mlp{}]}}", job.model.moe ? ", moe" : "")},
      {"training.recompute=full"},
      {fmt::format("parallel.ep={}", 2 * job.sizes.ep)},
  };
  if (job.training.micro_batch_size % 2 == 0)
    changes.push_back({fmt::format("training.micro_batch_size={}", job.training.micro_batch_size / 2)});
  if (job.sizes.dp % 2 == 0) {
    changes.push_back(doubled("tp", job.sizes.tp, job.sizes));
    changes.push_back(doubled("pp", job.sizes.pp, job.sizes));
    changes.push_back(doubled("cp", job.sizes.cp, job.sizes));
  }
  return changes;
}

std::vector<Change> changes_of(const workloads::InferenceJob& job) {
  std::vector<Change> changes{
      {"inference.precision=fp8"},
      {"inference.kv_cache_precision=fp8"},
      {fmt::format("parallel.ep={}", 2 * job.sizes.ep)},
  };
  if (job.inference.micro_batch_size % 2 == 0)
    changes.push_back({fmt::format("inference.micro_batch_size={}", job.inference.micro_batch_size / 2)});
  if (job.inference.batch_size % (2 * job.sizes.dp) == 0)
    changes.push_back({fmt::format("inference.batch_size={}", job.inference.batch_size / 2)});
  if (job.sizes.dp % 2 == 0) {
    changes.push_back(doubled("tp", job.sizes.tp, job.sizes));
    changes.push_back(doubled("pp", job.sizes.pp, job.sizes));
  }
  return changes;
}

} // namespace

std::vector<MemoryAdvice> memory_advice(const std::filesystem::path& file, std::span<const std::string> assignments) {
  const Scenario scenario = load(file, assignments);
  const Bytes now = estimated_memory(scenario);
  std::vector<MemoryAdvice> advice;
  const auto changes = std::visit([](const auto& job) { return changes_of(job); }, scenario.work);
  for (const Change& change : changes) {
    Change all(assignments.begin(), assignments.end());
    all.insert(all.end(), change.begin(), change.end());
    try {
      if (const Bytes then = estimated_memory(load(file, all)); then < 0.99 * now)
        advice.push_back({change, then});
    } catch (const InputError&) { // this job cannot have it
    }
  }
  std::ranges::stable_sort(advice, {}, &MemoryAdvice::peak);
  return advice;
}

} // namespace moesim::scenario
