// Inference entries: a server in steps that moesim simulates.
#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/engine.hpp"
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

// Engines ask for as many ranks of attention as of experts: two of a source that gives neither dp nor both GPUs.
TEST(ServedBatch, ExpertsSayHowManyGpusThereAre) {
  const auto read = [](const std::string& more) {
    return inference_fields(
        entry_of("h100_sxm", "  config: {model: gpt-oss tiny, precision: fp4, mode: agg, phase: both, "
                             "backend: vllm, input_length: 256, output_length: 64, concurrency: "
                             "4.0, num_gpus: 1, tensor_model_parallel_size: 1, " +
                                 more + "}\n  measured: {tpot_ms: 1}\n"),
        Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary);
  };
  const InferenceFields open = read("moe_tensor_parallel_size: 2");
  EXPECT_EQ(open.deployment.dp, 2);
  EXPECT_EQ(open.clients.concurrency, 2);
  EXPECT_EQ(std::ranges::count(open.assumptions, "2 GPUs: as many as its experts are on"), 1);
  EXPECT_EQ(read("moe_tensor_parallel_size: 1").deployment.dp, 1);
}

std::vector<std::string> assignments(const std::string& system, const std::string& model) {
  return inference_fields(entry_of(system, "  config: {model: " + model +
                                               ", precision: fp4, mode: agg, phase: both, backend: vllm, num_gpus: 1, "
                                               "input_length: 256, output_length: 64, concurrency: 4.0}\n"
                                               "  measured: {tpot_ms: 1}\n"),
                          Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary)
      .deployment.assignments;
}

// Whatever the source calls it, gpt-oss has its experts alone in four bits; Hopper multiplies them in BF16.
TEST(ServedBatch, GptOssHasItsExpertsAloneInFewBits) {
  const auto has = [](const std::vector<std::string>& list, const std::string& one) {
    return std::ranges::find(list, one) != list.end();
  };
  for (const auto& [system, multiplied] : {std::pair("h100_sxm", "bf16"), std::pair("b200_sxm", "mxfp8")}) {
    const std::vector<std::string> list = assignments(system, "gpt-oss tiny");
    EXPECT_TRUE(has(list, "inference.weight_precision=bf16"));
    EXPECT_TRUE(has(list, std::string("inference.expert_precision=") + multiplied));
    EXPECT_TRUE(has(list, "inference.expert_weight_precision=nvfp4"));
  }
  EXPECT_TRUE(has(assignments("b200_sxm", "tiny"), "inference.weight_precision=nvfp4"));
}

// Blocks of scales have kernels of their own, but for those that are known to lose nothing by them.
TEST(ServedBatch, ExpertsInBlocksAreThoseOfTheirEngine) {
  const auto has_own = [](const std::string& backend, const std::string& model, const std::string& gpu = "H100") {
    const std::string described = "FP8 " + model + " " + backend + " " + gpu;
    const config::Node* rule = first_rule(vocabulary.inference, "precisions", described);
    return rule->find("name")->scalar == "fp8-block" && rule->find("experts") == nullptr;
  };
  EXPECT_TRUE(has_own("trtllm", "DeepSeek-R1"));
  EXPECT_TRUE(has_own("vllm", "Qwen/Qwen3-235B-A22B-FP8"));
  EXPECT_FALSE(has_own("sglang", "DeepSeek-R1"));
  EXPECT_FALSE(has_own("trtllm", "DeepSeek-R1", "B200"));
  EXPECT_FALSE(has_own("TensorRT-LLM (PyTorch backend)", "DeepSeek-R1", "B200"));
  EXPECT_TRUE(has_own("vllm", "DeepSeek-R1", "B200"));
  EXPECT_FALSE(has_own("trtllm", "Qwen3-235B-A22B")); // NVIDIA's checkpoint has one scale for a tensor
}

// Sweeps of engines since December 2025 are not in step; one whose release is not known is taken for an older one.
TEST(ServedBatch, HowASweepAsksFollowsFromItsRelease) {
  const auto in_step = [](const std::string& backend, const std::string& release) {
    Entry entry =
        entry_of("h100_sxm", "  config: {model: tiny, precision: bf16, mode: agg, phase: both, "
                             "input_length: 256, output_length: 64, num_gpus: 1, concurrency: 4.0, backend: " +
                                 backend + ", backend_version: '" + release + "'}\n  measured: {tpot_ms: 1}\n");
    entry.where = "silicon_sample.csv";
    return inference_fields(entry, Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary).clients.shortest == 1;
  };
  for (const auto& [backend, before, since] :
       {std::array{"vllm", "0.11.2", "0.12.0"}, std::array{"sglang", "0.5.5.post3", "0.5.10"},
        std::array{"trtllm", "1.2.0rc2", "1.2.0rc6.post1"}}) {
    EXPECT_TRUE(in_step(backend, before)) << backend;
    EXPECT_TRUE(in_step(backend, "")) << backend;
    EXPECT_FALSE(in_step(backend, since)) << backend;
  }
}

Engine engine(const std::string& where, const std::string& more) {
  Entry entry = entry_of("h200_sxm", "  config: {model: DeepSeek-R1, backend: trtllm, input_length: 1024, " + more +
                                         "}\n  measured: {tpot_ms: 1}\n");
  entry.where = where;
  return engine_of(entry, "H200", vocabulary);
}

// The scripts of a benchmark on the day of a measurement say more than an engine's defaults.
TEST(ServedBatch, WhatABenchmarkGaveItsServersReplacesDefaults) {
  EXPECT_EQ(engine("a sweep", "num_gpus: 8").policy.tokens_per_step, 8192);
  EXPECT_EQ(engine("measured=2025-11-02T00", "num_gpus: 8").policy.tokens_per_step, 1024);
  EXPECT_EQ(engine("measured=2025-11-02T00", "num_gpus: 8").policy.drafted, 0);
  EXPECT_EQ(engine("measured=2026-01-14T00", "num_gpus: 8").policy.drafted, 3);
  EXPECT_EQ(engine("measured=2026-01-14T00", "attention_data_parallel_size: 8").policy.drafted, 1);
}

TEST(ServedBatch, RowsThatAreKnownNotToBeWhatTheySayAreSkipped) {
  const auto served = [](const std::string& concurrency) {
    const Entry entry = entry_of("h100_sxm", "  config: {model: gpt-oss-120b, backend: vllm, input_length: 1024, "
                                             "num_gpus: 2, concurrency: " +
                                                 concurrency + "}\n  measured: {tpot_ms: 1}\n");
    return engine_of(entry, "H100", vocabulary);
  };
  EXPECT_THROW(static_cast<void>(served("512.0")), Unpredictable);
  EXPECT_NO_THROW(static_cast<void>(served("64.0")));
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

} // namespace
} // namespace moesim::validation
