// When the tokens of an inference run were sampled, and what follows from it.
#pragma once

#include <vector>

#include "simulator/record/run_record.hpp"
#include "workloads/inference.hpp"

namespace moesim::run {

// [replica x micro-batches + micro-batch][token]: seconds since the start. The sequences of a micro-batch get their
// tokens together, when the last tensor-parallel rank of the last stage has sampled.
using TokenTimes = std::vector<std::vector<double>>;

[[nodiscard]] TokenTimes token_times(const record::TaskTable& table, const workloads::InferenceJob& job,
                                     const workloads::Layout& layout, const graph::Folding& folding);

// Means over sequences: until the first token (TTFT), and from one token to the next (TPOT), 0 when there is but one.
[[nodiscard]] Seconds time_to_first_token(const TokenTimes& tokens);
[[nodiscard]] Seconds time_per_output_token(const TokenTimes& tokens);

// Tokens count when they are sampled; as a rate over 100 slices of the run.
[[nodiscard]] record::Throughput throughput(const TokenTimes& tokens, const workloads::InferenceJob& job,
                                            Seconds makespan);

} // namespace moesim::run
