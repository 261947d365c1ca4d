#include "workloads/inference.hpp"

#include <algorithm>

namespace moesim::workloads {

MicroBatchShape InferenceJob::micro_batch(std::int64_t step) const {
  const bool is_prefill = step == 1;
  return {.sizes = sizes,
          .sequence_parallel = sequence_parallel,
          .sequences = inference.micro_batch_size,
          .seq_length = is_prefill ? inference.prompt_length : 1,
          .precision = inference.precision,
          .dispatcher = moe.dispatcher,
          .fp8_dispatch = moe.fp8_dispatch,
          .experts_are_even = is_even(moe.load),
          .reaction = Seconds(moe.load.stealing.reaction_time_s),
          .cache = KvCache{.held = is_prefill ? 0 : inference.cached_after(step - 1),
                           .block_size = inference.kv_block_size,
                           .precision = inference.kv_cache_precision},
          .weight_precision = inference.weight_precision,
          .expert_precision = inference.expert_precision,
          .expert_weight_precision = inference.expert_weight_precision};
}

MicroBatchShape InferenceJob::layer_batch(std::int64_t step) const {
  MicroBatchShape shape = micro_batch(step);
  if (inference.overlaps_two_batches)
    shape.sequences /= 2;
  return shape;
}

Bytes token_bytes(const InferenceJob& job) {
  constexpr double number = 8; // a 64-bit integer, as in PyTorch
  return Bytes(number * static_cast<double>(job.inference.micro_batch_size));
}

std::vector<InferencePass> passes(const InferenceJob& job, StepRange steps) {
  const std::int64_t micro_batches = job.inference.micro_batches(job.sizes);
  std::vector<InferencePass> result;
  for (std::int64_t step = steps.first; step <= steps.last; ++step)
    for (std::int64_t micro_batch = 0; micro_batch < micro_batches; ++micro_batch)
      result.push_back({step, static_cast<std::int32_t>(micro_batch)});
  return result;
}

std::string describe_passes(const InferenceJob& job) {
  std::string line;
  for (const InferencePass& pass : passes(job, {1, job.inference.output_length}))
    line += (pass.step == 1 ? " P" : " D") + std::to_string(pass.micro_batch);
  std::string text;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    text += "stage " + std::to_string(stage) + ":" + line + "\n";
  return text;
}

Bytes kv_cache_bytes(const InferenceJob& job, std::int64_t stage, std::int64_t length) {
  double tokens = 0;
  const std::int64_t first_layer = job.first_layer(stage);
  for (std::int64_t layer = first_layer; layer < first_layer + job.layers_of(stage); ++layer)
    tokens +=
        static_cast<double>(kept_tokens(job.model, job.model.kind_of(layer), job.inference.kv_block_size, length));
  const auto sequences = static_cast<double>(job.inference.batch_size / job.sizes.dp);
  return Bytes(sequences * tokens * static_cast<double>(kv_elements(job.model, job.sizes.tp)) *
               bytes_per_element(job.inference.kv_cache_precision));
}

Bytes kv_cache_bytes(const InferenceJob& job) {
  Bytes fullest;
  for (std::int64_t stage = 0; stage < job.sizes.pp; ++stage)
    fullest = std::max(fullest, kv_cache_bytes(job, stage, job.inference.cached_after(job.inference.output_length)));
  return fullest;
}

double inference_flops(const InferenceJob& job) {
  const Inference& inference = job.inference;
  const auto forward = [&](double tokens, std::int64_t length) { return model_flops(job.model, tokens, length) / 3; };
  const auto sequences = static_cast<double>(inference.batch_size);
  const auto prompt = static_cast<double>(inference.prompt_length);
  const double head = 2 * static_cast<double>(job.model.hidden_size) * static_cast<double>(job.model.vocab_size);
  double flops = forward(sequences * prompt, inference.prompt_length) - sequences * (prompt - 1) * head;
  for (std::int64_t step = 2; step <= inference.output_length; ++step)
    flops += forward(sequences, inference.cached_after(step));
  return flops;
}

} // namespace moesim::workloads
