// Inference entries: a server in steps that moesim simulates.
#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/inference_entry.hpp"
#include "simulator/validation/inference_fields.hpp"
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
  const auto read = [](const std::string& source) {
    return inference_fields(
        entry_of("h100_sxm",
                 fields("num_gpus: 16, tensor_model_parallel_size: 16, moe_tensor_parallel_size: 4, "
                        "moe_expert_parallel_size: 4, concurrency: 4.0"),
                 source),
        Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary);
  };
  EXPECT_EQ(read("AIConfigurator silicon sample").gpus_of_replica, 4);
  EXPECT_EQ(read("AIConfigurator silicon sample").assumptions.at(0),
            "4 GPUs: the source multiplies degrees of the same GPUs");
  EXPECT_EQ(read("A report").gpus_of_replica, 16);
}

// A phase by itself is one batch over and over: its tokens over the time that `moesim run` gives it.
TEST(ServedBatch, APhaseByItselfIsABatch) {
  const std::string batch = "  config: {model: tiny, precision: bf16, backend: SGLang, input_length: 256, num_gpus: 2, "
                            "tensor_model_parallel_size: 2, batch_size: 4, ";
  const auto answer_to = [&](const std::string& rest) {
    return inference_question(entry_of("h100_sxm", batch + rest), Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary)
        .answer();
  };
  const std::string text =
      "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR "/models/tiny.json}\n"
      "parallel: {tp: 2, dp: 1}\nsimulation: {algorithms: {tp: custom}}\n"
      "inference: {batch_size: 8, prompt_length: 256, output_length: 2}\n";
  execution::IdealExecutor executor;
  const record::RunFigures by_hand = run::simulate(scenario::parse(text, "by hand", {}), executor, {}).figures;
  const Answer prefill = answer_to("phase: prefill}\n  measured: {input_tokens_per_sec_per_node: 1}\n");
  EXPECT_NEAR(prefill.predictions.at(0).value / (8 * 256 / by_hand.ttft / 2 * 8), 1, 1e-9);
  const Answer decode = answer_to("phase: decode}\n  measured: {output_tokens_per_sec_per_gpu: 1}\n");
  EXPECT_NEAR(decode.predictions.at(0).value / (8 / by_hand.tpot / 2), 1, 1e-9);
}

// All requests are there, so that what is made in a second does not depend on when they are sent.
TEST(ServedBatch, OfflineThroughputIsThatOfTheSteps) {
  const Entry entry = entry_of("h100_sxm", "  config: {model: tiny, precision: bf16, mode: agg, backend: vllm, "
                                           "phase: both (offline), input_length: 256, output_length: 64, num_gpus: 1, "
                                           "num_requests: 500}\n  measured: {output_tokens_per_sec_per_gpu: 1}\n");
  const Answer offline = inference_question(entry, Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary).answer();
  const Answer one = answer("num_gpus: 1, concurrency: 1.0");
  const double alone = 64e3 / (one.predictions[0].value + 63 * one.predictions[1].value); // tokens a second
  EXPECT_GT(offline.predictions.at(0).value, 10 * alone);
  EXPECT_LT(offline.predictions.at(0).value, 500 * alone);
}

TEST(ServedBatch, PhasesOnGpusOfTheirOwnAreSkipped) {
  Entry entry = entry_of("h100_sxm", fields("num_gpus: 1, concurrency: 4.0"));
  config::set(entry.config, "mode=disagg");
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
