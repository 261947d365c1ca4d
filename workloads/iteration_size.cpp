#include "workloads/iteration_size.hpp"

#include <algorithm>
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
// which order does not change how much is done.
schedulers::PipelineOrder some_order(const schedulers::Chunks& chunks, std::int32_t micro_batches) {
  std::vector<schedulers::PipelinePass> passes;
  for (const auto kind : {schedulers::PassKind::Forward, schedulers::PassKind::Backward})
    for (std::int32_t micro_batch = 0; micro_batch < micro_batches; ++micro_batch)
      for (std::int32_t chunk = 0; chunk < static_cast<std::int32_t>(chunks.chunks); ++chunk) {
        const bool is_copy = chunks.placement == schedulers::ChunkPlacement::Bidirectional && chunk > 0;
        passes.push_back({kind, is_copy ? micro_batches + micro_batch : micro_batch, chunk});
      }
  return schedulers::PipelineOrder(static_cast<std::size_t>(chunks.stages), passes);
}

bool splits_backwards(const schedulers::PipelineOrder& order) {
  return std::ranges::any_of(order, [](const std::vector<schedulers::PipelinePass>& passes) {
    return std::ranges::count(passes, schedulers::PassKind::BackwardWeight, &schedulers::PipelinePass::kind) > 0;
  });
}

} // namespace

std::int64_t row_count(const TrainingJob& job) {
  const std::int64_t ranks = job.sizes.world() / job.sizes.pp;
  const schedulers::PipelineOrder order = pipeline_order(job);
  if (splits_backwards(order)) // perhaps some only: they are counted
    return size_of(job, order).steps * ranks;
  const std::int64_t copies = job.has_two_copies() ? 2 : 1;
  const std::int64_t first = size_of(job, some_order(job.chunks(), 1)).steps;
  const std::int64_t next = size_of(job, some_order(job.chunks(), 2)).steps - first;
  return (first + (job.training.micro_batches(job.sizes) / copies - 1) * next) * ranks;
}

double recompute_factor(const TrainingJob& job) {
  TrainingJob plain = job;
  plain.training.recompute = {};
  const schedulers::PipelineOrder order = some_order(job.chunks(), 1);
  return size_of(job, order).flops / size_of(plain, order).flops;
}

} // namespace moesim::workloads
