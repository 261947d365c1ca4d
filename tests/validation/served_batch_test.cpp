// Inference entries: a server in steps that moesim simulates.
#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/inference_entry.hpp"
#include "simulator/validation/step_times.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

const Vocabulary vocabulary = read_vocabulary();

std::string fields(const std::string& more) {
  return "  config: {model: tiny, precision: bf16, mode: agg, phase: both, backend: vllm, input_length: 256, "
         "output_length: 64, " +
         more + "}\n  measured: {ttft_ms: 10, tpot_ms: 1}\n";
}

Answer answer(const std::string& more, const std::string& source = "A report") {
  return inference_question(entry_of("h100_sxm", fields(more), source), Aliases(MOESIM_TEST_DIR "/aliases.yaml"),
                            vocabulary)
      .answer();
}

// Clients that send one request at a time see the batch of one that `moesim run` simulates, token by token.
TEST(ServedBatch, OneRequestAtATimeIsABatchOfOne) {
  const Answer served = answer("num_gpus: 2, tensor_model_parallel_size: 2, concurrency: 1.0");
  const std::string text =
      "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR "/models/tiny.json}\n"
      "parallel: {tp: 2, dp: 1}\nsimulation: {algorithms: {tp: custom}}\n"
      "inference: {batch_size: 1, prompt_length: 256, output_length: 64}\n";
  execution::IdealExecutor executor;
  const record::RunFigures batch = run::simulate(scenario::parse(text, "by hand", {}), executor, {}).figures;
  EXPECT_NEAR(served.predictions[0].value / (batch.ttft * 1e3), 1, 1e-9);
  EXPECT_NEAR(served.predictions[1].value / (batch.tpot * 1e3), 1, 1e-3); // whole blocks, against a line
}

TEST(ServedBatch, MoreAtATimeWaitForEachOther) {
  const std::string gpus = "num_gpus: 1, tensor_model_parallel_size: 1, ";
  const Answer few = answer(gpus + "concurrency: 2.0");
  const Answer many = answer(gpus + "concurrency: 64.0");
  EXPECT_GT(many.predictions[0].value, few.predictions[0].value);
  EXPECT_GT(many.predictions[1].value, few.predictions[1].value);
}

// Two replicas share what is under way between them.
TEST(ServedBatch, ReplicasShareTheRequests) {
  const Answer one = answer("num_gpus: 1, tensor_model_parallel_size: 1, concurrency: 8.0");
  const Answer two = answer("num_gpus: 2, tensor_model_parallel_size: 1, concurrency: 16.0");
  EXPECT_EQ(one.predictions[1].value, two.predictions[1].value);
}

TEST(ServedBatch, WhatTheSourceMultipliesIsOfTheSameGpus) {
  const std::string source = "AIConfigurator silicon sample";
  const Answer multiplied = answer("num_gpus: 4, tensor_model_parallel_size: 4, moe_tensor_parallel_size: 2, "
                                   "moe_expert_parallel_size: 2, concurrency: 4.0",
                                   source);
  const Answer meant = answer("num_gpus: 2, tensor_model_parallel_size: 2, concurrency: 4.0", source);
  EXPECT_EQ(multiplied.assumptions.at(0), "2 GPUs: the source multiplies degrees of the same GPUs");
  EXPECT_EQ(multiplied.predictions[1].value, meant.predictions[1].value);
}

TEST(ServedBatch, PhasesByThemselvesAreSkipped) {
  Entry entry = entry_of("h100_sxm", fields("num_gpus: 1, concurrency: 4.0"));
  config::set(entry.config, "phase=decode");
  EXPECT_THROW(static_cast<void>(inference_question(entry, Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary)),
               Unpredictable);
}

// The cache of twice as many tokens leaves room for half as many sequences.
TEST(StepTimes, MemoryHoldsFewerLongSequences) {
  const Deployment deployment{"it",
                              "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR
                              "/models/tiny.json}\ninference: {}\n",
                              {"parallel.tp=1", "parallel.dp=1"},
                              1};
  const auto held = [&](std::int64_t prompt) {
    return static_cast<double>(
        sequences_in_memory(deployment, {.sequences = 4, .prompt_length = prompt, .output_length = 1}, 0.9));
  };
  EXPECT_NEAR(held(16000) / held(32000), 2, 1e-3);
}

} // namespace
} // namespace moesim::validation
