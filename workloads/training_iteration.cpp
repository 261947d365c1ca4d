#include "workloads/training.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "workloads/stage_builder.hpp"

namespace moesim::workloads {

std::string_view name_of(Sharding sharding) {
  constexpr std::array<std::string_view, 4> names{"none", "zero-1", "zero-2", "zero-3"};
  return names[static_cast<std::size_t>(sharding)];
}

std::string_view name_of(ExpertOverlap overlap) {
  constexpr std::array<std::string_view, 3> names{"false", "chunked", "true"};
  return names[static_cast<std::size_t>(overlap)];
}

std::string_view name_of(Recompute::Granularity granularity) {
  constexpr std::array<std::string_view, 3> names{"none", "selective", "full"};
  return names[static_cast<std::size_t>(granularity)];
}

std::string_view name_of(Recompute::Method method) {
  return method == Recompute::Method::Uniform ? "uniform" : "block";
}

std::string_view name_of(BackwardPrefetch prefetch) {
  return prefetch == BackwardPrefetch::Pre ? "pre" : "post";
}

std::string_view name_of(P2p p2p) {
  return p2p == P2p::Eager ? "eager" : "rendezvous";
}

// ZeRO, arXiv 1910.02054, section 3.1, with FP32 throughout.
double Training::optimizer_bytes() const {
  const double moments = bytes_per_element(optimizer.exp_avg) + bytes_per_element(optimizer.exp_avg_sq);
  return precision == Precision::Fp32 ? moments : moments + bytes_per_element(optimizer.main_params);
}

Bytes sent_bytes(const TrainingJob& job) {
  const Bytes needed = boundary_bytes(job.model, job.micro_batch());
  return job.gathers_received() ? needed / static_cast<double>(job.sizes.tp) : needed;
}

schedulers::ScheduleShape schedule_shape(const TrainingJob& job) {
  return {.stages = job.sizes.pp,
          .micro_batches = job.training.micro_batches(job.sizes),
          .chunks = job.chunks().chunks,
          .fuses_passes = job.training.overlap.expert == ExpertOverlap::Passes,
          .max_in_flight = job.training.max_in_flight};
}

schedulers::PipelineOrder pipeline_order(const TrainingJob& job) {
  return job.training.order ? *job.training.order
                            : schedulers::find_schedule(job.training.schedule).order(schedule_shape(job));
}

void visit_stages(const TrainingJob& job, const StageVisitor& visit, const ExpertLoads& loads) {
  visit_stages(job, pipeline_order(job), visit, loads);
}

void visit_stages(const TrainingJob& job, const schedulers::PipelineOrder& order, const StageVisitor& visit,
                  const ExpertLoads& loads) {
  graph::Programs shared;
  ProgramTables tables(shared, loads);
  const bool splits = std::ranges::any_of(order, [](const std::vector<schedulers::PipelinePass>& passes) {
    return std::ranges::count(passes, schedulers::PassKind::BackwardWeight, &schedulers::PipelinePass::kind) > 0;
  });
  const StageParts parts = make_parts(job, splits ? Backwards::Split : Backwards::Whole, tables);
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    visit(StageBuilder(job, tables, parts, order, stage).build(), shared);
}

graph::Programs training_iteration(const TrainingJob& job, const ExpertLoads& loads) {
  return all_stages([&](const StageVisitor& visit) { visit_stages(job, visit, loads); });
}

} // namespace moesim::workloads
