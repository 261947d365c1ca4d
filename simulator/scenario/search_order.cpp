#include "simulator/scenario/search_order.hpp"

#include <algorithm>
#include <utility>

#include "simulator/screen/screen.hpp"
#include "workloads/stage_memory.hpp"

namespace moesim::scenario {
namespace {

using schedulers::PassKind;
using workloads::TrainingJob;

// Bytes of each stage at its fullest moment with so many micro-batches in flight.
std::vector<workloads::StageMemory> memories_with(TrainingJob job, std::int32_t in_flight) {
  std::vector<schedulers::PipelinePass> passes;
  for (const PassKind kind : {PassKind::Forward, PassKind::BackwardInput, PassKind::BackwardWeight})
    for (std::int32_t micro_batch = 0; micro_batch < in_flight; ++micro_batch)
      passes.push_back({kind, micro_batch});
  job.training.global_batch_size = in_flight * job.training.micro_batch_size * job.sizes.dp;
  job.training.order = schedulers::PipelineOrder(static_cast<std::size_t>(job.sizes.pp), passes);
  return stage_memories(job);
}

// As many as fit into the fullest stage; where not even one does, as many as 1F1B holds.
std::int64_t most_in_flight(const TrainingJob& job, Bytes usable) {
  const std::vector<workloads::StageMemory> one = memories_with(job, 1);
  const std::vector<workloads::StageMemory> two = memories_with(job, 2);
  const std::int64_t micro_batches = job.training.micro_batches(job.sizes);
  std::int64_t most = micro_batches;
  for (std::size_t stage = 0; stage < one.size(); ++stage) {
    const Bytes left = usable - one[stage].at_peak.total();
    if (left < Bytes())
      return std::min(micro_batches, job.sizes.pp);
    const Bytes each = two[stage].at_peak.total() - one[stage].at_peak.total();
    if (each > Bytes())
      most = std::min(most, 1 + static_cast<std::int64_t>(std::min(1e6, left / each)));
  }
  return most;
}

} // namespace

void search_order(Scenario& scenario) {
  TrainingJob& job = scenario.training_job();
  if (job.training.schedule != "zb-auto")
    return;
  if (job.training.max_in_flight == 0)
    job.training.max_in_flight = most_in_flight(job, scenario.cluster.gpu.usable_memory());
  schedulers::ScheduleShape shape = workloads::schedule_shape(job);
  screen::StageCosts costs = screen::Screen(scenario.cluster, scenario.rank_order, scenario.network).pass_costs(job);
  shape.costs = std::move(costs.stages);
  shape.transfer = costs.transfer.value();
  job.training.order = schedulers::find_schedule(job.training.schedule).order(shape);
}

} // namespace moesim::scenario
