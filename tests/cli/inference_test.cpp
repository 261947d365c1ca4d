// A batch from the command line: what it says, and what it refuses.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/command.hpp"

namespace moesim::testing {
namespace {

using Json = nlohmann::ordered_json;

// tests/cli/small.yaml, serving 8 sequences instead of training; `more` are further fields.
std::string small_batch(std::string_view more = {}) {
  std::string text = small_scenario();
  text.replace(text.find("training:"), std::string::npos,
               "inference:\n  batch_size: 8\n  prompt_length: 128\n  output_length: 3\n");
  return text.append(more);
}

std::string problems_of(std::string_view more) {
  return problems(small_batch(more));
}

std::string problems_with(std::string_view from, std::string_view to) {
  std::string text = small_batch();
  text.replace(text.find(from), from.size(), to);
  return problems(text);
}

Json run(std::initializer_list<std::string> assignments = {}) {
  const Workplace place;
  place.write("batch.yaml", small_batch());
  Workplace::Arguments arguments{"run", "--json", "batch.yaml"};
  for (const std::string& assignment : assignments)
    arguments.insert(arguments.end(), {"--set", assignment});
  const Outcome outcome = place.run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return Json::parse(outcome.out);
}

TEST(InferenceCommand, RunSaysWhenTokensCome) {
  const Json json = run();
  const double time = json["iteration_time_s"];
  EXPECT_NEAR(json["output_tokens_per_s"].get<double>() * time, 8 * 3, 1e-9);
  EXPECT_NEAR(json["tokens_per_s"].get<double>() * time, 8 * (128 + 3), 1e-6);
  EXPECT_LT(json["ttft_s"].get<double>() + 2 * json["tpot_s"].get<double>(), time * (1 + 1e-9));
  EXPECT_EQ(json["kv_cache_bytes"], 4 * 9 * 16 * 2 * 2 * 64 * 2); // 4 sequences, 9 blocks, 2 heads of 64, BF16
  EXPECT_TRUE(run({"inference.output_length=1"})["tpot_s"].is_null());
}

TEST(InferenceCommand, CheckCountsTheTasksOfTheRunAndPrintsAScenarioThatMeansTheSame) {
  const Workplace place;
  place.write("batch.yaml", small_batch("  precision: fp8\n  kv_cache_precision: fp8\n  kv_block_size: 64\n"));
  const Outcome resolved = place.run({"check", "batch.yaml"});
  EXPECT_EQ(resolved.status, 0) << resolved.err;
  const Json json = Json::parse(place.run({"run", "--json", "batch.yaml"}).out);
  EXPECT_NE(resolved.out.find(" in " + std::to_string(json["tasks"].get<int>()) + " tasks\n"), std::string::npos);
  EXPECT_NE(resolved.out.find("# KV cache: 192 KiB on the fullest GPU at the end\n"), std::string::npos);
  place.write("resolved.yaml", resolved.out);
  EXPECT_EQ(place.run({"check", "resolved.yaml"}).out, resolved.out);
}

TEST(InferenceCommand, CheckSaysNoWhenTheCacheDoesNotFit) {
  const Workplace place;
  place.write("batch.yaml", small_batch());
  const Outcome outcome =
      place.run({"check", "batch.yaml", "--set", "inference.output_length=1000000", "--set",
                 "platform.gpu.memory.capacity=1GiB", "--set", "platform.gpu.memory.reserved=1MiB"});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_NE(outcome.out.find("it does not fit, by "), std::string::npos);
  EXPECT_NE(outcome.out.find(" with inference.kv_cache_precision=fp8\n"), std::string::npos); // what would help
}

TEST(InferenceCommand, DumpPrintsThePassesOfEachStage) {
  const Workplace place;
  place.write("batch.yaml", small_batch());
  EXPECT_EQ(place.run({"dump", "schedule", "batch.yaml"}).out,
            "stage 0: P0 P1 D0 D1 D0 D1\nstage 1: P0 P1 D0 D1 D0 D1\n");
}

TEST(InferenceCommand, GanttShowsPrefillAndDecode) {
  const Workplace place;
  place.write("batch.yaml", small_batch());
  EXPECT_EQ(place.run({"run", "batch.yaml", "-o", "out.h5"}).status, 0);
  EXPECT_EQ(place.run({"gantt", "out.h5", "-o", "out.svg"}).status, 0);
  const std::string picture = read_all(place.path() / "out.svg");
  EXPECT_NE(picture.find("<title>prefill of micro-batch 1: "), std::string::npos);
  EXPECT_NE(picture.find("<title>decode of micro-batch 0: "), std::string::npos);
  EXPECT_EQ(picture.find("optimizer"), std::string::npos);
}

TEST(BadInference, Fields) {
  EXPECT_EQ(problems_of("  seq_length: 3\n"),
            "scenario.yaml:19:3: inference.seq_length: unknown key 'seq_length'; known keys are batch_size, "
            "micro_batch_size, prompt_length, output_length, precision, weight_precision, expert_precision, "
            "expert_weight_precision, kv_cache_precision, kv_block_size, "
            "overlap\n");
  EXPECT_EQ(problems_of("  kv_cache_precision: fp9\n  kv_block_size: 0\n  precision: int8\n"),
            lines({"scenario.yaml:19:23: inference.kv_cache_precision: unknown value 'fp9'; did you mean 'fp8'? "
                   "expected one of fp8, bf16, fp16, fp32",
                   "scenario.yaml:20:18: inference.kv_block_size: 0 is too small; expected a whole number from 1 to "
                   "1000000",
                   "scenario.yaml:21:14: inference.precision: unknown value 'int8'; expected one of bf16, fp16, fp8, "
                   "fp8-block, mxfp8, nvfp4, fp32"}));
  EXPECT_EQ(problems_with("output_length: 3", "output_length: 0"),
            "scenario.yaml:18:18: inference.output_length: 0 is too small; expected a whole number from 1 to "
            "100000000\n");
}

TEST(BadInference, Fit) {
  EXPECT_EQ(problems_with("batch_size: 8", "batch_size: 7"),
            "scenario.yaml:16:15: inference.batch_size: 7 is not a multiple of micro_batch_size x dp = 1 x 2 = 2; use "
            "6 or 8\n");
  EXPECT_EQ(problems_of("  micro_batch_size: 3\n"),
            "scenario.yaml:16:15: inference.batch_size: 8 is not a multiple of micro_batch_size x dp = 3 x 2 = 6; use "
            "6 or 12\n");
  EXPECT_EQ(problems_with("tp: 2", "cp: 2"),
            "scenario.yaml:14:16: parallel.cp: context parallelism is for training; use 1\n");
  EXPECT_EQ(
      problems_with("ep: 2", "ep: 1, sequence_parallel: false"),
      "scenario.yaml:14:52: parallel.sequence_parallel: without it tokens do not travel, and the tp = 2 ranks that "
      "have them need all experts among them; use true, or ep x etp = 2 instead of 1\n");
  EXPECT_EQ(problems_with("tp: 2", "cp_comm_type: p2p"),
            "scenario.yaml:14:12: parallel.cp_comm_type: unknown key 'cp_comm_type'; known keys are tp, cp, pp, vpp, "
            "ep, etp, layers_per_stage, layout, dp, sequence_parallel, order\n");
  EXPECT_EQ(problems_with("  vocab_size: 1000", "  vocab_size: 1000\n  position_embedding_type: learned\n"
                                                "  max_position_embeddings: 130"),
            "scenario.yaml:20:18: inference.output_length: prompt and output are 131 tokens, and the model has learned "
            "130 positions; use a shorter one, or give model.max_position_embeddings\n");
}

TEST(BadInference, TwoBatches) {
  EXPECT_EQ(
      problems_of("  micro_batch_size: 1\n  overlap: {two_batch: true}\n"),
      "scenario.yaml:20:12: inference.overlap: two_batch cuts a micro-batch into two equal halves, and its size is "
      "1; use an even micro_batch_size or two_batch: false\n");
  std::string text = small_batch("  overlap: {two_batch: true}\n");
  text.replace(text.find(", ep: 2"), 7, "");
  EXPECT_EQ(problems(text),
            "scenario.yaml:19:12: inference.overlap: two_batch is about all-to-alls, and there are none "
            "with ep 1; use parallel.ep: 2 or more, or two_batch: false\n");
  const std::string_view experts = "  num_local_experts: 4\n  num_experts_per_tok: 2\n";
  text.replace(text.find(experts), experts.size(), "");
  EXPECT_EQ(problems(text),
            "scenario.yaml:17:12: inference.overlap: two_batch is about the all-to-alls of experts, and "
            "the model has none; use two_batch: false\n");
}

TEST(BadInference, MoreThanOneRunTakes) {
  EXPECT_EQ(problems_with("output_length: 3", "output_length: 100000000"),
            "scenario.yaml:18:18: inference.output_length: 100000000 tokens of 2 micro-batches on 2 simulated GPUs "
            "make about "
            "5e+09 tasks, and one run takes at most 2e+08; use a shorter output, fewer micro-batches, or fewer GPUs\n");
  EXPECT_EQ(
      problems_with("batch_size: 8", "batch_size: 100000000\n  micro_batch_size: 1"),
      "scenario.yaml:16:15: inference.batch_size: 50000000 micro-batches on 2 simulated GPUs make about 1e+09 tasks "
      "a token, and one run takes at most 2e+08; use a smaller batch, a larger micro_batch_size, or fewer GPUs\n");
}

} // namespace
} // namespace moesim::testing
