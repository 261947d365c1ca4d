#include "simulator/scenario/checks.hpp"

namespace moesim::scenario {

void check_overlap(const workloads::TrainingJob& job, Sections at) {
  const workloads::Overlap& overlap = job.training.overlap;
  if (overlap.expert != workloads::ExpertOverlap::None && !job.model.moe)
    at.work.problem("overlap", "expert is about the all-to-alls of experts, and the model has none; use expert: false");
  if (overlap.tp && job.sizes.tp > 1 && !job.sequence_parallel)
    at.work.problem("overlap", "tp is about the gathers and sums of sequence parallelism (as in Megatron Core); use "
                               "parallel.sequence_parallel: true or tp: false");
}

} // namespace moesim::scenario
