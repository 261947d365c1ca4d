// Small jobs for tests, with the changes that a test is about visible in the test.
#pragma once

#include "workloads/training.hpp"

namespace moesim::workloads {

inline ModelSpec small_dense() {
  ModelSpec model;
  model.name = "small";
  model.model_type = "llama";
  model.hidden_size = 64;
  model.num_layers = 8;
  model.num_heads = 8;
  model.num_kv_heads = 4;
  model.head_dim = 8;
  model.intermediate_size = 96;
  model.vocab_size = 512;
  return model;
}

inline ModelSpec small_moe() {
  ModelSpec model = small_dense();
  model.model_type = "mixtral";
  model.moe = MoeSpec{.num_experts = 8, .experts_per_token = 2, .intermediate_size = 48};
  return model;
}

// Sizes as given, dp making up the rest of nothing: set it yourself.
inline TrainingJob job_of(const ModelSpec& model, const ParallelSizes& sizes) {
  TrainingJob job;
  job.model = model;
  job.sizes = sizes;
  job.sequence_parallel = sizes.tp > 1;
  job.training.global_batch_size = 16;
  job.training.micro_batch_size = 1;
  job.training.seq_length = 32;
  return job;
}

} // namespace moesim::workloads
