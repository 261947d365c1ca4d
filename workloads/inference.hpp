// How one batch is served: the `inference` section of a scenario. All prompts are there at the start; every sequence
// gets equally many tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/expert_loads.hpp"
#include "workloads/job.hpp"
#include "workloads/segments.hpp"

namespace moesim::workloads {

struct Inference {
  std::int64_t batch_size = 1;       // sequences, over all GPUs
  std::int64_t micro_batch_size = 1; // sequences per forward pass of a replica
  std::int64_t prompt_length = 1;    // tokens
  std::int64_t output_length = 1;    // tokens
  Precision precision = Precision::Bf16;
  // Of the weights of products, if not that: kernels make of it what they multiply in (AWQ, Lin et al., arXiv
  // 2306.00978; Marlin, arXiv 2408.11743).
  std::optional<Precision> weight_precision{};
  // Both, of the experts, where they have their own: gpt-oss has them in 4 bits, and the rest in BF16 (arXiv
  // 2508.10925, section 2.1). Attention and what is sent are as `precision` has them.
  std::optional<Precision> expert_precision{};
  std::optional<Precision> expert_weight_precision{};
  Precision kv_cache_precision = Precision::Bf16;
  std::int64_t kv_block_size = 16;   // tokens
  bool overlaps_two_batches = false; // halves of a micro-batch take turns (two_batch.hpp)

  // What weights are stored in.
  [[nodiscard]] Precision stored() const { return weight_precision.value_or(precision); }
  [[nodiscard]] Precision experts_stored() const {
    return expert_precision ? expert_weight_precision.value_or(*expert_precision) : stored();
  }
  [[nodiscard]] std::int64_t micro_batches(const ParallelSizes& sizes) const {
    return batch_size / (micro_batch_size * sizes.dp);
  }
  [[nodiscard]] double output_tokens() const {
    return static_cast<double>(batch_size) * static_cast<double>(output_length);
  }
  // Prompts and outputs together.
  [[nodiscard]] double tokens() const {
    return output_tokens() + static_cast<double>(batch_size) * static_cast<double>(prompt_length);
  }
  // Tokens that go through the model: the last one of a sequence does not.
  [[nodiscard]] double computed_tokens() const { return tokens() - static_cast<double>(batch_size); }
  // Tokens of a sequence in the cache when the step has ended that gives output token number `step`, from 1 on.
  [[nodiscard]] std::int64_t cached_after(std::int64_t step) const { return prompt_length + step - 1; }
};

// Everything that determines the task graph of one batch. All divisibilities have been checked.
struct InferenceJob : Job {
  Inference inference;

  // A micro-batch in step 1, the prefill, and in step 2 and later, which decode one token a sequence each.
  [[nodiscard]] MicroBatchShape micro_batch(std::int64_t step) const;
  // What its layers run over at once: all of it, or one of the two halves that take turns.
  [[nodiscard]] MicroBatchShape layer_batch(std::int64_t step) const;
};

// What the last stage sends the first for a micro-batch: the number of each sequence's token.
[[nodiscard]] Bytes token_bytes(const InferenceJob& job);

// Steps by the number of the token that they give.
struct StepRange {
  std::int64_t first = 1;
  std::int64_t last = 1;
};

// One run of a stage over a micro-batch; the same on every stage: by step, then by micro-batch.
struct InferencePass {
  std::int64_t step = 1;
  std::int32_t micro_batch = 0;
};
[[nodiscard]] std::vector<InferencePass> passes(const InferenceJob& job, StepRange steps);

// One line per stage with its passes in order, P or D and the micro-batch: "stage 0: P0 P1 D0 D1".
[[nodiscard]] std::string describe_passes(const InferenceJob& job);

// The whole batch: prefill of all micro-batches, then step after step of decoding. A micro-batch's next step waits for
// its tokens to come back from the last stage to the first; a pass waits for the sends of the one before it.
[[nodiscard]] graph::Programs inference_run(const InferenceJob& job, const ExpertLoads& loads = {});

// Some steps of it, stage by stage.
void visit_stages(const InferenceJob& job, StepRange steps, const StageVisitor& visit, const ExpertLoads& loads = {});

// Rows of the task table, without building it: all decode steps but the last one have equally many.
[[nodiscard]] std::int64_t row_count(const InferenceJob& job);

// Bytes of a rank of the stage, once every sequence has `length` tokens in the cache.
[[nodiscard]] Bytes kv_cache_bytes(const InferenceJob& job, std::int64_t stage, std::int64_t length);
// Of the fullest rank, when the batch is done.
[[nodiscard]] Bytes kv_cache_bytes(const InferenceJob& job);

// FLOPs of the batch as model_flops() counts them, forward only: prompts with attention in full, each decoded token
// with the tokens so far, the head once per output token.
[[nodiscard]] double inference_flops(const InferenceJob& job);

} // namespace moesim::workloads
