// Small jobs for tests, with the changes that a test is about visible in the test.
#pragma once

#include <algorithm>
#include <vector>

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

// DeepSeek: latent attention, two shared experts, the first two layers dense.
inline ModelSpec small_latent() {
  ModelSpec model = small_moe();
  model.model_type = "deepseek_v3";
  model.num_kv_heads = 8;
  model.mla =
      MlaSpec{.q_lora_rank = 24, .kv_lora_rank = 16, .qk_nope_head_dim = 8, .qk_rope_head_dim = 4, .v_head_dim = 8};
  model.moe->shared_intermediate_size = 96;
  model.layer_kinds.assign(8, {.has_experts = true});
  model.layer_kinds[0].has_experts = false;
  model.layer_kinds[1].has_experts = false;
  return model;
}

// DeepSeek-V2-Lite: queries without a latent.
inline ModelSpec small_latent_keys() {
  ModelSpec model = small_latent();
  model.mla->q_lora_rank = 0;
  return model;
}

// Qwen MoE: a gated shared expert, normalised queries and keys, biases before attention.
inline ModelSpec small_shared() {
  ModelSpec model = small_moe();
  model.model_type = "qwen2_moe";
  model.moe->shared_intermediate_size = 96;
  model.moe->shared_gate = true;
  model.qk_norm = QkNorm::Head;
  model.attention_bias = true;
  return model;
}

// GPT-OSS: a window of 8 tokens in every other layer, sinks, biases everywhere.
inline ModelSpec small_windowed() {
  ModelSpec model = small_moe();
  model.model_type = "gpt_oss";
  model.moe->router_bias = true;
  model.attention_bias = model.output_bias = model.mlp_bias = model.attention_sinks = true;
  model.attention_span = 8;
  model.layer_kinds.assign(8, {.has_experts = true});
  for (std::size_t layer = 0; layer < 8; layer += 2)
    model.layer_kinds[layer].reach = Reach::Sliding;
  return model;
}

// Llama 4: experts in every other layer, chunks of 12 tokens in three of four; with Grok's norms after attention and
// MLP.
inline ModelSpec small_chunked() {
  ModelSpec model = small_shared();
  model.model_type = "llama4_text";
  model.moe->shared_gate = false;
  model.qk_norm = QkNorm::Width;
  model.post_norms = true;
  model.attention_span = 12;
  model.layer_kinds.assign(8, {.has_experts = false, .reach = Reach::Chunked});
  for (std::size_t layer = 1; layer < 8; layer += 2)
    model.layer_kinds[layer].has_experts = true;
  for (std::size_t layer = 3; layer < 8; layer += 4)
    model.layer_kinds[layer].reach = Reach::Full;
  return model;
}

// One of each family.
inline std::vector<ModelSpec> small_models() {
  return {small_dense(),  small_moe(),      small_latent(), small_latent_keys(),
          small_shared(), small_windowed(), small_chunked()};
}

// FLOPs of the forward pass of all layers for one token, as a graph counts them, those of modules for multi-token
// prediction included: those of the formula, but each query meets only the keys before it that it sees, and with the
// router and the gate of the shared experts.
inline double forward_flops_of_layers(const ModelSpec& model, std::int64_t length) {
  const auto whole = static_cast<double>(length);
  const std::int64_t heads = 1 + model.mtp_layers;
  double flops =
      model_flops(model, 1.0 / 3, length) - 2 * static_cast<double>(heads * model.hidden_size * model.vocab_size);
  for (std::int64_t layer = 0; layer < model.num_layers + model.mtp_layers; ++layer) {
    const LayerKind kind = model.kind_of(std::min(layer, model.num_layers - 1));
    const auto keys = static_cast<double>(model.keys_seen(kind, length));
    double pairs = keys * whole - keys * keys / 2; // as a triangle, then a band
    if (kind.reach == Reach::Chunked) {
      pairs = 0;
      for (std::int64_t start = 0; start < length; start += model.attention_span) {
        const auto chunk = static_cast<double>(std::min(model.attention_span, length - start));
        pairs += chunk * chunk / 2;
      }
    }
    flops -= 2 * static_cast<double>(model.query_width() + model.output_width()) * (keys - pairs / whole);
    if (kind.has_experts)
      flops += 2 * static_cast<double>(model.hidden_size * (model.moe->num_experts + (model.moe->shared_gate ? 1 : 0)));
  }
  return flops;
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
  job.training.ddp_bucket_size = 1; // each part of these small models by itself
  return job;
}

// The same with a stage of ZeRO, and everything overlapped or nothing.
inline TrainingJob sharded(const ModelSpec& model, const ParallelSizes& sizes, Sharding sharding,
                           bool overlaps = false) {
  TrainingJob job = job_of(model, sizes);
  job.training.sharding = sharding;
  job.training.overlap = {
      .grad_reduce = overlaps, .param_gather = overlaps && sharding != Sharding::None, .pp = overlaps};
  return job;
}

// The same under a schedule, with as many chunks as it wants (two where it leaves that open).
inline TrainingJob scheduled(TrainingJob job, std::string_view name) {
  const schedulers::PipelineSchedule& schedule = schedulers::find_schedule(name);
  job.training.schedule = name;
  job.placement = schedule.placement;
  job.sizes.vpp = schedule.chunks == 0 ? 2 : job.has_two_copies() ? 1 : schedule.chunks;
  return job;
}

} // namespace moesim::workloads
