#include "workloads/iteration_size.hpp"

#include <vector>

namespace moesim::workloads {
namespace {

struct Size {
  std::int64_t steps = 0; // of one rank of each stage
  double flops = 0;       // of one rank of each stage
};

Size size_of(const TrainingJob& job, const schedulers::PipelineOrder& order) {
  Size size;
  visit_stages(job, order, [&](const graph::Program& program, const graph::Programs& tables) {
    size.steps += static_cast<std::int64_t>(program.steps().size());
    for (const graph::Step& step : program.steps())
      size.flops += tables.works[step.task.work].flops.value();
  });
  return size;
}

// Each micro-batch goes through every chunk forward and back, or, of two copies of the model, one through each: in
// which order does not change how much is done, but for the buckets that gradients fill: the last chunk's first.
schedulers::PipelineOrder some_order(const schedulers::Chunks& chunks, std::int32_t micro_batches) {
  std::vector<schedulers::PipelinePass> passes;
  for (const auto kind : {schedulers::PassKind::Forward, schedulers::PassKind::Backward})
    for (std::int32_t micro_batch = 0; micro_batch < micro_batches; ++micro_batch)
      for (std::int32_t turn = 0; turn < static_cast<std::int32_t>(chunks.chunks); ++turn) {
        const std::int32_t last = static_cast<std::int32_t>(chunks.chunks) - 1;
        const std::int32_t chunk = kind == schedulers::PassKind::Forward ? turn : last - turn;
        const bool is_copy = chunks.placement == schedulers::ChunkPlacement::Bidirectional && chunk > 0;
        passes.push_back({kind, is_copy ? micro_batches + micro_batch : micro_batch, chunk});
      }
  return schedulers::PipelineOrder(static_cast<std::size_t>(chunks.stages), passes);
}

// With so many micro-batches, in the order of the job's schedule.
std::int64_t steps_with(TrainingJob job, std::int64_t micro_batches) {
  job.training.global_batch_size = job.training.micro_batch_size * job.sizes.dp * micro_batches;
  return size_of(job, pipeline_order(job)).steps;
}

// Steps of one rank of each stage, where all backwards are whole.
std::int64_t steps_of_whole_passes(const TrainingJob& job) {
  const std::int64_t first = size_of(job, some_order(job.chunks(), 1)).steps;
  const std::int64_t next = size_of(job, some_order(job.chunks(), 2)).steps - first;
  return first + (job.training.micro_batches(job.sizes) / (job.has_two_copies() ? 2 : 1) - 1) * next;
}

// The same where some are split: each more micro-batch (of two copies of the model, each two) in the steady phase of
// the schedule, which has begun with two for each stage, adds as much as the one before.
std::int64_t steps_of_split_passes(const TrainingJob& job) {
  const std::int64_t micro_batches = job.training.micro_batches(job.sizes);
  const std::int64_t unit = job.has_two_copies() ? 2 : 1;
  const std::int64_t steady = 2 * job.sizes.pp;
  if (micro_batches <= steady + unit)
    return steps_with(job, micro_batches);
  const std::int64_t first = steps_with(job, steady);
  const std::int64_t next = steps_with(job, steady + unit) - first;
  return first + (micro_batches - steady) / unit * next;
}

} // namespace

std::int64_t row_count(const TrainingJob& job) {
  const std::int64_t ranks = job.sizes.world() / job.sizes.pp;
  if (job.training.order)
    return size_of(job, *job.training.order).steps * ranks;
  return ranks * (schedulers::find_schedule(job.training.schedule).splits_backward ? steps_of_split_passes(job)
                                                                                   : steps_of_whole_passes(job));
}

double recompute_factor(const TrainingJob& job) {
  TrainingJob plain = job;
  plain.training.recompute = {};
  const schedulers::PipelineOrder order = some_order(job.chunks(), 1);
  return size_of(job, order).flops / size_of(plain, order).flops;
}

} // namespace moesim::workloads
