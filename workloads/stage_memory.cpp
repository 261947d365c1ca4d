#include "workloads/stage_memory.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <utility>

#include "workloads/part_state.hpp"
#include "workloads/stage_units.hpp"

namespace moesim::workloads {
namespace {

using graph::Memory;
using graph::MemoryUse;

// The parameters of linear layers and experts of the stage: FP8 themselves in inference.
RankParameters product_parameters(const Job& job, std::int64_t stage) {
  RankParameters count;
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer) {
    const RankParameters all = layer_parameters(job, job.model.kind_of(layer));
    count += {all.dense - replicated_parameters(job.model, job.model.kind_of(layer)), all.expert};
  }
  return count;
}

// The copies that FP8 training keeps of the weights of linear layers and experts; where those are gathered for each
// turn, so are these.
Bytes cast_copies(const TrainingJob& job, std::int64_t stage) {
  double count = 0;
  for (const StageShape& chunk : PipelineStage(job, stage).chunks)
    for (std::int64_t part = chunk.first_part(); part <= chunk.last_part(); ++part) {
      const RankParameters all = part_parameters(chunk, part).cast_copies;
      const RankParameters gathered = job.training.shards_weights() ? with_replicas(job, all) : RankParameters();
      count += all.dense + all.expert - gathered.dense - gathered.expert;
    }
  return Bytes(count * cast_copy_bytes(job.training.precision));
}

MemoryUse at_rest(const TrainingJob& job, std::int64_t stage) {
  const RankParameters parameters = stage_parameters(job, stage);
  const Precision precision = job.training.precision;
  MemoryUse memory;
  memory[Memory::Weights] =
      Bytes(weight_share(job, parameters) * bytes_per_element(precision_outside_products(precision))) +
      cast_copies(job, stage);
  memory[Memory::Gradients] = Bytes(gradient_share(job, parameters) * job.training.gradient_bytes());
  memory[Memory::Optimizer] =
      Bytes(optimizer_share(job, owned_parameters(job, stage)) * job.training.optimizer_bytes());
  return memory;
}

MemoryUse at_rest(const InferenceJob& job, std::int64_t stage) {
  const RankParameters parameters = stage_parameters(job, stage);
  const Precision precision = job.inference.precision;
  const RankParameters products = product_parameters(job, stage);
  const double others = parameters.dense + parameters.expert - products.dense - products.expert;
  MemoryUse memory;
  memory[Memory::Weights] = Bytes(products.dense * bytes_per_element(job.inference.stored()) +
                                  products.expert * bytes_per_element(job.inference.experts_stored()) +
                                  others * bytes_per_element(precision_outside_products(precision)));
  return memory;
}

// One step after the other, but what a collective holds is there until something waits for it, since what comes first
// may run beside it: what is received, and gradients that are reduced. A transfer takes memory where it arrives.
class Timeline {
public:
  // Of a rank at the position, among those that the loads tell apart.
  Timeline(const graph::Program& program, const graph::Programs& tables, std::size_t position, MemoryUse held)
      : program_(program), tables_(tables), position_(position), held_(held), fullest_(held) {}

  MemoryUse fullest_moment() {
    for (Index index = 0; index < program_.steps().size(); ++index) {
      end_before(index);
      if (program_.steps()[index].task.kind != graph::Kind::SendRecv || program_.steps()[index].receives)
        run(index);
    }
    return fullest_;
  }

private:
  using Index = graph::Program::StepIndex;

  // What the step waits for.
  void end_before(Index index) {
    const graph::Stream own = program_.steps()[index].task.stream;
    for (const Index before : program_.dependencies(index))
      if (const graph::Stream stream = program_.steps()[before].task.stream; stream != own)
        have_ended(stream, before);
  }

  void run(Index index) {
    const graph::Task& task = program_.steps()[index].task;
    const graph::Work& work = work_of(index);
    // Gradients wait for their reduction in a queue; other collectives receive one after the other.
    const bool computes = task.kind == graph::Kind::Compute;
    const bool reduces = !computes && work.freed[Memory::Gradients] != Bytes();
    const bool receives = !computes && task.stream != graph::Stream::Dp;
    if (receives)
      have_ended(task.stream, index);
    held_ += work.allocated;
    if (held_.total() > fullest_.total())
      fullest_ = held_;
    if (reduces || receives)
      underway_[static_cast<std::size_t>(task.stream)].push_back(index);
    else
      held_ -= work.freed;
  }

  // In-order: and those before it.
  void have_ended(graph::Stream stream, Index last) {
    std::deque<Index>& underway = underway_[static_cast<std::size_t>(stream)];
    for (; !underway.empty() && underway.front() <= last; underway.pop_front())
      held_ -= work_of(underway.front()).freed;
  }

  [[nodiscard]] const graph::Work& work_of(Index index) const {
    const graph::Step& step = program_.steps()[index];
    if (step.family == graph::no_family)
      return tables_.works[step.task.work];
    const graph::TokenSpread& spread = tables_.loads.spreads[tables_.spread_of(step)];
    return tables_.works[tables_.families[step.family].works[spread.load_of[position_]]];
  }

  const graph::Program& program_;
  const graph::Programs& tables_;
  std::size_t position_;
  MemoryUse held_;
  MemoryUse fullest_;
  std::array<std::deque<Index>, graph::stream_count> underway_; // by stream
};

// Positions that do not have the same loads throughout; one where all have.
std::vector<std::size_t> unlike_positions(const graph::TokenLoads& loads) {
  if (loads.spreads.empty())
    return {0};
  std::set<std::vector<std::uint32_t>> seen;
  std::vector<std::size_t> positions;
  for (std::size_t position = 0; position < loads.spreads.front().load_of.size(); ++position) {
    std::vector<std::uint32_t> of_position;
    for (const graph::TokenSpread& spread : loads.spreads)
      of_position.push_back(spread.load_of[position]);
    if (seen.insert(std::move(of_position)).second)
      positions.push_back(position);
  }
  return positions;
}

MemoryUse fullest_moment(const graph::Program& program, const graph::Programs& tables, const MemoryUse& held) {
  MemoryUse fullest = held;
  for (const std::size_t position : unlike_positions(tables.loads))
    if (const MemoryUse moment = Timeline(program, tables, position, held).fullest_moment();
        moment.total() > fullest.total())
      fullest = moment;
  return fullest;
}

template <class AnyJob>
Bytes fullest_at_rest(const AnyJob& job) {
  Bytes fullest;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    fullest = std::max(fullest, at_rest(job, stage).total());
  return fullest;
}

} // namespace

Bytes memory_at_rest(const TrainingJob& job) {
  return fullest_at_rest(job);
}

Bytes memory_at_rest(const InferenceJob& job) {
  return fullest_at_rest(job);
}

// The cache only grows, and what a decode step needs besides is the same in all of them: either the prefill or the last
// step is the fullest.
std::vector<StageMemory> stage_memories(const InferenceJob& job, const ExpertLoads& loads) {
  const std::int64_t steps = job.inference.output_length;
  std::vector<StageMemory> memories;
  visit_stages(
      job, {1, 1},
      [&](const graph::Program& prefill, const graph::Programs& tables) {
        const MemoryUse resting = at_rest(job, static_cast<std::int64_t>(memories.size()));
        memories.push_back({resting, fullest_moment(prefill, tables, resting)});
      },
      loads);
  if (steps == 1)
    return memories;
  std::int64_t stage = 0;
  visit_stages(
      job, {steps, steps},
      [&](const graph::Program& decode, const graph::Programs& tables) {
        StageMemory& memory = memories[static_cast<std::size_t>(stage)];
        MemoryUse held = memory.at_rest;
        held[Memory::KvCache] = kv_cache_bytes(job, stage++, job.inference.cached_after(steps - 1));
        const MemoryUse fullest = fullest_moment(decode, tables, held);
        if (fullest.total() > memory.at_peak.total())
          memory.at_peak = fullest;
      },
      loads);
  return memories;
}

std::vector<StageMemory> stage_memories(const TrainingJob& job, const ExpertLoads& loads) {
  std::vector<StageMemory> memories;
  visit_stages(
      job,
      [&](const graph::Program& program, const graph::Programs& tables) {
        const MemoryUse resting = at_rest(job, static_cast<std::int64_t>(memories.size()));
        memories.push_back({resting, fullest_moment(program, tables, resting)});
      },
      loads);
  return memories;
}

} // namespace moesim::workloads
