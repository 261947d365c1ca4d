// How a model is trained: the `training` section of a scenario.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schedulers/pipeline_schedule.hpp"
#include "workloads/job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {

// Who keeps the optimizer's state. Zero1: each data-parallel rank a share of it; gradients are then reduce-scattered
// and parameters gathered after the step (ZeRO stage 1, arXiv 1910.02054; Megatron's distributed optimizer).
enum class Sharding : std::uint8_t { None, Zero1 };
[[nodiscard]] std::string_view name_of(Sharding sharding);

// What runs beside compute. Nothing overlaps that is not named here.
struct Overlap {
  bool grad_reduce = false;  // gradients of a layer are reduced while earlier layers compute theirs
  bool param_gather = false; // parameters of later layers are gathered while earlier layers run forward
  bool pp = false;           // the next pass does not wait for the previous one's sends
};

struct Training {
  std::int64_t global_batch_size = 1; // sequences per iteration, over all GPUs
  std::int64_t micro_batch_size = 1;  // sequences per forward pass
  std::int64_t seq_length = 1;        // tokens
  Precision precision = Precision::Bf16;
  std::string schedule = "1f1b";
  Recompute recompute = Recompute::None;
  Sharding sharding = Sharding::Zero1;
  Overlap overlap;

  [[nodiscard]] std::int64_t micro_batches(const ParallelSizes& sizes) const {
    return global_batch_size / (micro_batch_size * sizes.dp);
  }
  [[nodiscard]] double tokens() const {
    return static_cast<double>(global_batch_size) * static_cast<double>(seq_length);
  }
};

// Everything that determines the task graph of one iteration. All divisibilities have been checked.
struct TrainingJob : Job {
  Training training;

  [[nodiscard]] MicroBatchShape micro_batch() const {
    return {sizes, sequence_parallel, training.micro_batch_size, training.seq_length, training.precision};
  }
};

// The order in which the stages of the job run their passes.
[[nodiscard]] schedulers::PipelineOrder pipeline_order(const TrainingJob& job);

// One iteration: all micro-batches forward and backward, gradient reduction, optimizer step, parameter gathering.
[[nodiscard]] graph::Programs training_iteration(const TrainingJob& job);

} // namespace moesim::workloads
