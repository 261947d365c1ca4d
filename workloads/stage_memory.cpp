#include "workloads/stage_memory.hpp"

#include <deque>

#include "workloads/part_state.hpp"
#include "workloads/stage_units.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::MemoryUse;

// The parameters of linear layers and experts of the stage: FP8 themselves in inference.
double product_parameters(const Job& job, std::int64_t stage) {
  double count = 0;
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer) {
    const RankParameters all = layer_parameters(job, job.model.kind_of(layer));
    count += all.dense + all.expert - replicated_parameters(job.model, job.model.kind_of(layer));
  }
  return count;
}

// The copies that FP8 training keeps of the weights of linear layers and experts; where those are gathered for each
// turn, so are these.
Bytes fp8_copies(const TrainingJob& job, std::int64_t stage) {
  double count = 0;
  for (const StageShape& chunk : PipelineStage(job, stage).chunks)
    for (std::int64_t part = chunk.first_part(); part <= chunk.last_part(); ++part) {
      const RankParameters all = part_parameters(chunk, part).fp8_copies;
      const RankParameters gathered = job.training.shards_weights() ? with_replicas(job, all) : RankParameters();
      count += all.dense + all.expert - gathered.dense - gathered.expert;
    }
  return Bytes(count * fp8_copy_bytes());
}

MemoryUse at_rest(const TrainingJob& job, std::int64_t stage) {
  const RankParameters parameters = stage_parameters(job, stage);
  const Precision precision = job.training.precision;
  MemoryUse memory;
  memory[Memory::Weights] =
      Bytes(weight_share(job, parameters) * bytes_per_element(precision_outside_products(precision))) +
      fp8_copies(job, stage);
  memory[Memory::Gradients] = Bytes(gradient_share(job, parameters) * job.training.gradient_bytes());
  memory[Memory::Optimizer] = Bytes(optimizer_share(job, owned_parameters(job, stage)) * optimizer_bytes(precision));
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

// One step after the other, but gradients that are reduced are there until something waits for the reduction: the next
// backward may run beside it. A transfer takes memory where it arrives.
MemoryUse fullest_moment(const graph::Program& program, const std::vector<graph::Work>& works, MemoryUse held) {
  using Index = graph::Program::StepIndex;
  const std::vector<graph::Step>& steps = program.steps();
  std::deque<Index> reducing;
  const auto have_ended = [&](Index last) { // in-order: and those before it
    for (; !reducing.empty() && reducing.front() <= last; reducing.pop_front())
      held -= works[steps[reducing.front()].task.work].freed;
  };
  MemoryUse fullest = held;
  for (Index index = 0; index < steps.size(); ++index) {
    const graph::Task& task = steps[index].task;
    for (const Index before : program.dependencies(index))
      if (task.stream != graph::Stream::Dp && steps[before].task.stream == graph::Stream::Dp)
        have_ended(before);
    if (task.kind == graph::Kind::SendRecv && !steps[index].receives)
      continue;
    const graph::Work& work = works[task.work];
    held += work.allocated;
    if (held.total() > fullest.total())
      fullest = held;
    if (work.freed[Memory::Gradients] == Bytes())
      held -= work.freed;
    else
      reducing.push_back(index);
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
