// Whether the schedule can do what the rest of the scenario asks of it.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "schedulers/custom_order.hpp"
#include "schedulers/pass_cycle.hpp"
#include "simulator/scenario/checks.hpp"
#include "workloads/arrivals.hpp"

namespace moesim::scenario {
namespace {

using schedulers::PipelineSchedule;
using workloads::ExpertOverlap;
using workloads::Sharding;
using workloads::TrainingJob;

// Chunks of a stage in the schedule's terms; two copies of the model have one of each.
bool check_chunks(const TrainingJob& job, const PipelineSchedule& schedule, config::MapReader& parallel) {
  const std::int64_t vpp = job.sizes.vpp;
  const bool has_copies = job.has_two_copies();
  const std::int64_t wanted = has_copies ? 1 : schedule.chunks;
  if (wanted == 0 ? vpp >= 2 : vpp == wanted)
    return true;
  parallel.problem("vpp", fmt::format("{} cuts the model into {} for each stage, not {}; use {}, or another schedule",
                                      schedule.name,
                                      has_copies    ? "1 chunk (of each of its two copies)"
                                      : wanted == 0 ? "at least 2 chunks"
                                      : wanted == 1 ? "1 chunk"
                                                    : fmt::format("{} chunks", wanted),
                                      vpp, wanted == 0 ? "2 or more" : fmt::format("{}", wanted)));
  return false;
}

// Each part of two copies has one optimizer, whose gradients are added up once, at the end.
void check_copies(const TrainingJob& job, config::MapReader& training) {
  if (!job.has_two_copies())
    return;
  if (job.training.sharding >= Sharding::Zero2)
    training.problem("sharding",
                     fmt::format("{} keeps two copies of the model whole; use none or zero-1, or dualpipe-v",
                                 job.training.schedule));
  if (job.training.overlap.grad_reduce || job.training.overlap.param_gather)
    training.problem("overlap",
                     fmt::format("{} sums the gradients of its two copies first, and sends parameters to both last; "
                                 "use grad_reduce: false and param_gather: false, or dualpipe-v",
                                 job.training.schedule));
}

// An order of one's own may have such passes or not.
bool can_fuse(const TrainingJob& job) {
  return job.training.schedule == schedulers::custom_schedule_name ||
         schedulers::find_schedule(job.training.schedule).can_fuse;
}

bool check_fused_passes(const TrainingJob& job, config::MapReader& training) {
  if (job.training.overlap.expert != ExpertOverlap::Passes)
    return true;
  if (!can_fuse(job))
    training.problem("overlap", fmt::format("{} runs no forward together with a backward; use expert: chunked, or "
                                            "the schedule 1f1b, interleaved-1f1b, dualpipe or dualpipe-v",
                                            job.training.schedule));
  if (job.training.sharding >= Sharding::Zero2)
    training.problem("overlap", "expert: true needs gradients and weights whole on each rank; use sharding: none or "
                                "zero-1, or expert: chunked");
  return can_fuse(job);
}

// Passes that the order lets run together do so only where all-to-alls hide: else one is over before the next begins.
schedulers::PipelineOrder order_as_run(const TrainingJob& job) {
  schedulers::PipelineOrder order = workloads::pipeline_order(job);
  if (job.training.overlap.expert != ExpertOverlap::Passes)
    for (std::vector<schedulers::PipelinePass>& passes : order)
      for (schedulers::PipelinePass& pass : passes)
        pass.with_next = false;
  return order;
}

// With rendezvous a receive is posted when the pass before it has ended: passes, or transfers, may wait in a circle.
void check_rendezvous(const TrainingJob& job, config::MapReader& training) {
  if (job.training.p2p != workloads::P2p::Rendezvous)
    return;
  const schedulers::PipelineOrder order = order_as_run(job);
  const bool has_chunks = job.chunks().chunks > 1;
  if (!job.training.overlap.pp) {
    const auto passes = schedulers::cycle(order, job.chunks(), schedulers::Posting::Rendezvous);
    if (!passes.empty())
      return training.problem(
          "p2p", fmt::format("{}; use eager, or overlap.pp: true", schedulers::describe(passes, job.chunks())));
  }
  if (const auto crossed = workloads::first_crossing(order, job.chunks()))
    training.problem("p2p", fmt::format("stage {} uses {} first, which stage {} sends after {}; use eager",
                                        crossed->receiver, describe(crossed->used_first, has_chunks), crossed->sender,
                                        describe(crossed->sent_first, has_chunks)));
}

} // namespace

namespace {

void check_custom_order(const TrainingJob& job, Sections at) {
  const schedulers::Chunks chunks = job.chunks();
  if (job.training.order->size() != static_cast<std::size_t>(job.sizes.pp))
    return at.work.problem("schedule", fmt::format("the order has {} stages, but pp is {}; write a line for each",
                                                   job.training.order->size(), job.sizes.pp));
  if (job.has_two_copies() && job.sizes.pp % 2 != 0)
    return at.work.problem("schedule", fmt::format("two copies of the model start from both ends, and of {} stages the "
                                                   "middle one would hold the same part twice; use an even pp",
                                                   job.sizes.pp));
  for (const std::string& problem : schedulers::problems(*job.training.order, chunks, workloads::schedule_shape(job)))
    at.work.problem("schedule", problem);
}

} // namespace

void check_schedule(const TrainingJob& job, Sections at) {
  const bool is_custom = job.training.schedule == schedulers::custom_schedule_name;
  if (!is_custom && !check_chunks(job, schedulers::find_schedule(job.training.schedule), at.parallel))
    return;
  check_copies(job, at.work);
  if (!check_fused_passes(job, at.work))
    return;
  if (job.training.global_batch_size % (job.training.micro_batch_size * job.sizes.dp) != 0)
    return; // check_batch() says so
  if (is_custom)
    return check_custom_order(job, at);
  const PipelineSchedule& schedule = schedulers::find_schedule(job.training.schedule);
  if (const std::string reason = schedulers::refusal(schedule, workloads::schedule_shape(job)); !reason.empty())
    at.work.problem("schedule", reason);
}

void check_order(const TrainingJob& job, Sections at) {
  check_rendezvous(job, at.work);
}

} // namespace moesim::scenario
