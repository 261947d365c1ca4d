#include "workloads/stage_memory.hpp"

#include "workloads/rank_parameters.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::MemoryUse;

// The parameters of linear layers and experts of the stage. FP8 training keeps copies of them for its products; in
// inference they are FP8 themselves.
double product_parameters(const Job& job, std::int64_t stage) {
  double count = 0;
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer) {
    const LayerKind kind = job.model.kind_of(layer);
    const RankParameters all = layer_parameters(job, kind);
    count += all.dense + all.expert - replicated_parameters(job.model, kind);
  }
  return count;
}

MemoryUse at_rest(const TrainingJob& job, std::int64_t stage) {
  const RankParameters parameters = stage_parameters(job, stage);
  const double count = parameters.dense + parameters.expert;
  const Precision precision = job.training.precision;
  MemoryUse memory;
  memory[Memory::Weights] = Bytes(count * bytes_per_element(precision_outside_products(precision)));
  // One copy by rows for the forward products and one by columns for those of the backward (Transformer Engine).
  if (precision == Precision::Fp8)
    memory[Memory::Weights] += Bytes(2 * product_parameters(job, stage) * bytes_per_element(precision));
  memory[Memory::Gradients] = Bytes(count * gradient_bytes);
  memory[Memory::Optimizer] = Bytes(optimizer_share(job, parameters) * optimizer_bytes(precision));
  return memory;
}

MemoryUse at_rest(const InferenceJob& job, std::int64_t stage) {
  const RankParameters parameters = stage_parameters(job, stage);
  const Precision precision = job.inference.precision;
  const double products = product_parameters(job, stage);
  const double others = parameters.dense + parameters.expert - products;
  MemoryUse memory;
  memory[Memory::Weights] = Bytes(products * bytes_per_element(precision) +
                                  others * bytes_per_element(precision_outside_products(precision)));
  return memory;
}

// One step after the other. A transfer takes memory where it arrives.
MemoryUse fullest_moment(const graph::Program& program, const std::vector<graph::Work>& works, MemoryUse held) {
  MemoryUse fullest = held;
  for (const graph::Step& step : program.steps()) {
    if (step.task.kind == graph::Kind::SendRecv && !step.receives)
      continue;
    const graph::Work& work = works[step.task.work];
    held += work.allocated;
    if (held.total() > fullest.total())
      fullest = held;
    held -= work.freed;
  }
  return fullest;
}

} // namespace

// The cache only grows, and what a decode step needs besides is the same in all of them: either the prefill or the last
// step is the fullest.
std::vector<StageMemory> stage_memories(const InferenceJob& job) {
  const std::int64_t steps = job.inference.output_length;
  std::vector<StageMemory> memories;
  visit_stages(job, {1, 1}, [&](const graph::Program& prefill, const graph::Programs& tables) {
    const MemoryUse resting = at_rest(job, static_cast<std::int64_t>(memories.size()));
    memories.push_back({resting, fullest_moment(prefill, tables.works, resting)});
  });
  if (steps == 1)
    return memories;
  std::int64_t stage = 0;
  visit_stages(job, {steps, steps}, [&](const graph::Program& decode, const graph::Programs& tables) {
    StageMemory& memory = memories[static_cast<std::size_t>(stage)];
    MemoryUse held = memory.at_rest;
    held[Memory::KvCache] = kv_cache_bytes(job, stage++, job.inference.cached_after(steps - 1));
    const MemoryUse fullest = fullest_moment(decode, tables.works, held);
    if (fullest.total() > memory.at_peak.total())
      memory.at_peak = fullest;
  });
  return memories;
}

std::vector<StageMemory> stage_memories(const TrainingJob& job) {
  std::vector<StageMemory> memories;
  visit_stages(job, [&](const graph::Program& program, const graph::Programs& tables) {
    const MemoryUse resting = at_rest(job, static_cast<std::int64_t>(memories.size()));
    memories.push_back({resting, fullest_moment(program, tables.works, resting)});
  });
  return memories;
}

} // namespace moesim::workloads
