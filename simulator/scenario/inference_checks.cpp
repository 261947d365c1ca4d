#include <algorithm>

#include <fmt/format.h>

#include "simulator/base/format.hpp"
#include "simulator/scenario/checks.hpp"
#include "workloads/rank_parameters.hpp"

namespace moesim::scenario {

using workloads::Inference;

void check_inference_batch(const workloads::InferenceJob& job, Sections at) {
  const Inference& inference = job.inference;
  const std::int64_t positions = job.model.learned_positions;
  if (positions > 0 && inference.prompt_length + inference.output_length > positions)
    at.work.problem("output_length",
                    fmt::format("prompt and output are {} tokens, and the model has learned {} positions; use a "
                                "shorter one, or give model.max_position_embeddings",
                                inference.prompt_length + inference.output_length, positions));
  const std::int64_t unit = inference.micro_batch_size * job.sizes.dp;
  if (inference.batch_size % unit == 0)
    return;
  const std::int64_t below = inference.batch_size / unit * unit;
  const std::string nearest = below == 0 ? fmt::format("{}", unit) : fmt::format("{} or {}", below, below + unit);
  at.work.problem("batch_size",
                  fmt::format("{} is not a multiple of micro_batch_size x dp = {} x {} = {}; use {}",
                              inference.batch_size, inference.micro_batch_size, job.sizes.dp, unit, nearest));
}

// All in floating point: the integers of a job this large would overflow.
void check_inference_amounts(const workloads::InferenceJob& job, Sections at) {
  const Inference& inference = job.inference;
  const std::int64_t copies = job.model.moe ? job.model.moe->experts_per_token : 1;
  const Bytes activations(static_cast<double>(inference.micro_batch_size) *
                          static_cast<double>(inference.prompt_length) * static_cast<double>(job.model.hidden_size) *
                          static_cast<double>(copies) *
                          bytes_per_element(precision_outside_products(inference.precision)));
  if (activations > most_bytes)
    at.work.problem("prompt_length",
                    fmt::format("{} x {} tokens of a micro-batch are {} at each layer, and one run takes at most {}; "
                                "use a shorter prompt or a smaller micro_batch_size",
                                inference.micro_batch_size, inference.prompt_length, format_bytes(activations),
                                format_bytes(most_bytes)));
  if (const Bytes cache = workloads::kv_cache_bytes(job); cache > most_bytes)
    at.work.problem("batch_size", fmt::format("keys and values of {} sequences are {} on a rank, and one run takes at "
                                              "most {}; use a smaller batch or fewer tokens",
                                              inference.batch_size, format_bytes(cache), format_bytes(most_bytes)));
  for (const std::int64_t stage : {std::int64_t{0}, job.sizes.pp - 1}) {
    const workloads::RankParameters parameters = workloads::stage_parameters(job, stage);
    const Bytes weights((parameters.dense + parameters.expert) * bytes_per_element(inference.precision));
    if (weights > most_bytes)
      return at.parallel.problem("", fmt::format("the weights of a rank are {}, and one run takes at most {}; use a "
                                                 "smaller model, or more of tp, pp and ep",
                                                 format_bytes(weights), format_bytes(most_bytes)));
  }
}

void check_inference_size(const Scenario& scenario, Sections at) {
  const workloads::InferenceJob& job = scenario.inference_job();
  const double ranks = fewest_simulated_ranks(scenario);
  const double steps_per_layer = job.inference.overlaps_two_batches ? 24 : 12; // with experts, tensor-parallel
  const std::int64_t micro_batches = job.inference.micro_batches(job.sizes);
  const double rows_of_step = ranks * steps_per_layer * static_cast<double>(micro_batches) *
                              static_cast<double>(job.model.num_layers) / static_cast<double>(job.sizes.pp);
  const double rows = rows_of_step * static_cast<double>(job.inference.output_length);
  if (rows_of_step > most_rows)
    at.work.problem(
        "batch_size",
        fmt::format("{} micro-batches on {} simulated GPUs make about {:.1g} tasks a token, and one run takes at "
                    "most {:.1g}; use a smaller batch, a larger micro_batch_size, or fewer GPUs",
                    micro_batches, ranks, rows_of_step, most_rows));
  else if (rows > most_rows)
    at.work.problem(
        "output_length",
        fmt::format("{} tokens of {} micro-batches on {} simulated GPUs make about {:.1g} tasks, and one run takes "
                    "at most {:.1g}; use a shorter output, fewer micro-batches, or fewer GPUs",
                    job.inference.output_length, micro_batches, ranks, rows, most_rows));
}

} // namespace moesim::scenario
