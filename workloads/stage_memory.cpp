#include "workloads/stage_memory.hpp"

#include <deque>

#include "workloads/part_state.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::MemoryUse;

// The copies that FP8 training keeps of the weights of linear layers and experts; where those are gathered for each
// turn, so are these.
Bytes fp8_copies(const TrainingJob& job, std::int64_t stage) {
  double count = 0;
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer) {
    const RankParameters all = layer_part(job, job.model.kind_of(layer)).fp8_copies;
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
  memory[Memory::Gradients] = Bytes(gradient_share(job, parameters) * gradient_bytes);
  memory[Memory::Optimizer] = Bytes(optimizer_share(job, parameters) * optimizer_bytes(precision));
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

std::vector<StageMemory> stage_memories(const TrainingJob& job) {
  std::vector<StageMemory> memories;
  visit_stages(job, [&](const graph::Program& program, const graph::Programs& tables) {
    const MemoryUse resting = at_rest(job, static_cast<std::int64_t>(memories.size()));
    memories.push_back({resting, fullest_moment(program, tables.works, resting)});
  });
  return memories;
}

} // namespace moesim::workloads
