#include "workloads/iteration_size.hpp"

namespace moesim::workloads {
namespace {

struct Size {
  std::int64_t steps = 0; // of one rank of each stage
  double flops = 0;       // of one rank of each stage
};

Size size_with(TrainingJob job, std::int64_t micro_batches) {
  job.training.global_batch_size = job.training.micro_batch_size * job.sizes.dp * micro_batches;
  Size size;
  visit_stages(job, [&](const graph::Program& program, const graph::Programs& tables) {
    size.steps += static_cast<std::int64_t>(program.steps().size());
    for (const graph::Step& step : program.steps())
      size.flops += tables.works[step.task.work].flops.value();
  });
  return size;
}

} // namespace

std::int64_t row_count(const TrainingJob& job) {
  const std::int64_t first = size_with(job, 1).steps;
  const std::int64_t next = size_with(job, 2).steps - first;
  return (first + (job.training.micro_batches(job.sizes) - 1) * next) * (job.sizes.world() / job.sizes.pp);
}

double recompute_factor(const TrainingJob& job) {
  TrainingJob plain = job;
  plain.training.recompute = {};
  return size_with(job, 1).flops / size_with(plain, 1).flops;
}

} // namespace moesim::workloads
