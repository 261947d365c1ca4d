#include <fmt/format.h>

#include "simulator/scenario/checks.hpp"

namespace moesim::scenario {

void check_overlap(const workloads::TrainingJob& job, Sections at) {
  const workloads::Overlap& overlap = job.training.overlap;
  if (overlap.param_gather && !job.training.shards_optimizer())
    at.work.problem("overlap", "param_gather needs sharded parameters; use sharding: zero-1 or param_gather: false");
  if (overlap.expert != workloads::ExpertOverlap::None && !job.model.moe)
    at.work.problem("overlap", "expert is about the all-to-alls of experts, and the model has none; use expert: false");
  if (overlap.tp && job.sizes.tp > 1 && !job.sequence_parallel)
    at.work.problem("overlap", "tp is about the gathers and sums of sequence parallelism (as in Megatron Core); use "
                               "parallel.sequence_parallel: true or tp: false");
}

void check_overlap(const workloads::InferenceJob& job, Sections at) {
  if (!job.inference.overlaps_two_batches)
    return;
  if (!job.model.moe)
    return at.work.problem(
        "overlap", "two_batch is about the all-to-alls of experts, and the model has none; use two_batch: false");
  if (job.sizes.ep == 1)
    at.work.problem("overlap", "two_batch is about all-to-alls, and there are none with ep 1; use parallel.ep: 2 or "
                               "more, or two_batch: false");
  if (const std::int64_t size = job.inference.micro_batch_size; size % 2 != 0)
    at.work.problem("overlap",
                    fmt::format("two_batch cuts a micro-batch into two equal halves, and its size is {}; use "
                                "an even micro_batch_size or two_batch: false",
                                size));
}

} // namespace moesim::scenario
