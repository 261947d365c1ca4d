#include <string>
#include <vector>

#include "schedulers/pipeline_schedule.hpp"
#include "simulator/scenario/sections.hpp"

namespace moesim::scenario {
namespace {

// Chunks of a stage that a schedule has when nobody says how many: of two copies of a model each has one.
std::int64_t usual_chunks(const schedulers::PipelineSchedule& schedule) {
  if (schedule.placement == schedulers::ChunkPlacement::Bidirectional)
    return 1;
  return schedule.chunks == 0 ? 2 : schedule.chunks;
}

} // namespace

void read_schedule(config::MapReader& training, workloads::TrainingJob& job) {
  const std::vector<std::string_view> names = schedulers::schedule_names();
  // Chunks without a schedule are interleaved, as in Megatron Core.
  const std::string_view usual = job.sizes.vpp > 1 ? "interleaved-1f1b" : "1f1b";
  job.training.schedule = training.choice_or("schedule", usual, names);
  const schedulers::PipelineSchedule& schedule = schedulers::find_schedule(job.training.schedule);
  job.placement = schedule.placement;
  if (job.sizes.vpp == 0)
    job.sizes.vpp = usual_chunks(schedule);
}

} // namespace moesim::scenario
