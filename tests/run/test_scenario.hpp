// A job of 32 GPUs in four nodes that uses every dimension there is. Every GPU is simulated.
#pragma once

#include "simulator/scenario/scenario.hpp"

namespace moesim::run {

inline scenario::Scenario small_scenario() {
  scenario::Scenario scenario;
  scenario.name = "small";
  scenario.symmetry = scenario::Symmetry::Off;
  scenario.cluster.name = "test";
  scenario.cluster.nodes = 4;
  scenario.cluster.gpus_per_node = 8;
  scenario.cluster.nvlink = {BytesPerSecond(400e9), 0.8, Seconds(1e-6), Seconds(2e-6)};
  scenario.cluster.nic = {BytesPerSecond(50e9), 0.9, Seconds(6e-6), Seconds(12e-6)};
  scenario.cluster.collective_latency = Seconds(5e-6);
  scenario.cluster.simple_collective_latency = Seconds(15e-6);
  scenario.cluster.ring_exposed_steps = 0.5;
  scenario.cluster.gpu.name = "test";
  scenario.cluster.gpu.memory_capacity = Bytes(80e9);
  scenario.cluster.gpu.memory_bandwidth = BytesPerSecond(3e12);
  scenario.cluster.gpu.peak[static_cast<std::size_t>(Precision::Bf16)] = FlopsPerSecond(1e15);
  scenario.cluster.gpu.launch_overhead = Seconds(2e-6);

  workloads::ModelSpec& model = scenario.job().model;
  model.name = "small";
  model.model_type = "mixtral";
  model.hidden_size = 512;
  model.num_layers = 8;
  model.num_heads = 8;
  model.num_kv_heads = 4;
  model.head_dim = 64;
  model.intermediate_size = 1024;
  model.vocab_size = 4096;
  model.moe = workloads::MoeSpec{.num_experts = 16, .experts_per_token = 2, .intermediate_size = 1024};
  scenario.job().sizes = {.tp = 2, .pp = 4, .ep = 8, .dp = 4};
  scenario.job().sequence_parallel = true;
  scenario.training_job().training.global_batch_size = 32;
  scenario.training_job().training.micro_batch_size = 1;
  scenario.training_job().training.seq_length = 1024;
  scenario.training_job().training.ddp_bucket_size = 1; // each part of this small model by itself
  return scenario;
}

} // namespace moesim::run
