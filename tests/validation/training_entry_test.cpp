// Training entries: the scenario that each becomes.
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/pool/process_pool.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/training_entry.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Vocabulary vocabulary = read_vocabulary();

Aliases aliases() {
  return Aliases(MOESIM_TEST_DIR "/aliases.yaml");
}

Question question(const std::string& config, const std::string& measured,
                  const std::string& source = "A paper on Megatron-LM") {
  return training_question(
      entry_of("DGX H100", "  config: {task: pretrain, " + config + "}\n  measured: {" + measured + "}\n", source),
      aliases(), vocabulary);
}

constexpr const char* full =
    "model: tiny, num_gpus: 4, precision: BF16, global_batch_size: 16, micro_batch_size: 2, seq_length: 1024, "
    "tensor_model_parallel_size: 2, pipeline_model_parallel_size: 2, recompute: full";

// The scenario of these fields, by hand; framework Megatron-LM shards the optimizer, overlaps nothing, launches kernel
// by kernel and takes the loss step by step.
double iteration_time(const std::string& parallel = "") {
  const std::string text =
      "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR "/models/tiny.json}\n"
      "parallel: {tp: 2, pp: 2, dp: 1" +
      parallel +
      "}\n"
      "training: {global_batch_size: 16, micro_batch_size: 2, seq_length: 1024, recompute: full, sharding: zero-1, "
      "cross_entropy_loss_fusion: false, launch_time: {forward: 60us, backward: 30us}}\n";
  execution::IdealExecutor executor;
  return run::simulate(scenario::parse(text, "by hand", {}), executor, {}).figures.makespan;
}

TEST(TrainingEntry, FieldsBecomeAScenario) {
  const Question of = question(full, "step_time_s: 2.0, mfu: 0.4");
  ASSERT_EQ(of.measurements.size(), 1U); // the step time comes first
  EXPECT_EQ(of.measurements[0].quantity, "step_time_s");
  EXPECT_DOUBLE_EQ(of.measurements[0].work, 16.0 * 1024 / 4);
  EXPECT_EQ(of.measurements[0].labels.framework, "Megatron-LM");
  const Answer answer = of.answer();
  EXPECT_NEAR(answer.predictions[0].value / iteration_time(), 1, 1e-3); // SimGrid, where transfers meet
  EXPECT_THAT(answer.assumptions, ElementsAre("where the entry does not say, framework megatron-lm"));
}

TEST(TrainingEntry, AnUnknownFrameworkIsTakenForMegatronCoreAndSaysSo) {
  EXPECT_THAT(question(full, "step_time_s: 2.0", "A blog").answer().assumptions,
              ElementsAre("no rule knows its framework, framework megatron-core-moe"));
}

TEST(TrainingEntry, RatesFollowFromTheSameRun) {
  const double tokens = question(full, "tokens_per_sec_per_gpu: 9").answer().predictions[0].value;
  EXPECT_NEAR(tokens * iteration_time() / (16.0 * 1024 / 4), 1, 1e-3);
}

// In a process of its own, as SimGrid wants it.
double predicted(const Question& question) {
  const std::vector<pool::Work> works{[&] { return fmt::format("{}", question.answer().predictions[0].value); }};
  return std::stod(pool::run_all(works).at(0).value);
}

// Megatron-Bridge overlaps what sequence parallelism sends, which is refused where there is none of it: then it is off.
TEST(TrainingEntry, WithoutSequenceParallelismNothingOfItOverlaps) {
  const auto time = [](const std::string& config) {
    return predicted(question(std::string(full) + config, "step_time_s: 2.0", "Megatron Bridge"));
  };
  EXPECT_NE(time(", sequence_parallel: false"), time("")); // both are predicted
}

// Megatron-Bridge counts the half of attention that the mask leaves, vanilla Megatron-LM all of it: of a layer's 2 (4
// h^2 + 3 h f) + 4 s h FLOPs a token, and 2 h v of the head, half of 4 s h less.
TEST(TrainingEntry, ModelFlopsAreCountedAsTheSourceDoes) {
  const auto tflops_over_tokens = [](const std::string& source) {
    const double tflops = predicted(question(full, "model_tflops_per_gpu: 9", source));
    return tflops / predicted(question(full, "tokens_per_sec_per_gpu: 9", source));
  };
  const double hidden = 1024;
  const double products = 8 * 2 * (4 * hidden * hidden + 3 * hidden * 4096) + 2 * hidden * 32000;
  const double attention = 8 * 4 * 1024 * hidden;
  EXPECT_NEAR(tflops_over_tokens("Megatron-LM") * 1e12, 3 * (products + attention), 1e-3 * products);
  EXPECT_NEAR(tflops_over_tokens("Megatron-Bridge") * 1e12, 3 * (products + attention / 2), 1e-3 * products);
}

TEST(TrainingEntry, WhatTheEntrySaysOverridesItsFramework) {
  const double without = iteration_time(", sequence_parallel: false");
  const Question of = question(std::string(full) + ", sequence_parallel: false", "step_time_s: 2.0");
  EXPECT_NEAR(of.answer().predictions[0].value / without, 1, 1e-3);
  EXPECT_GT(std::abs(iteration_time() / without - 1), 5e-3); // it makes a difference
}

TEST(TrainingEntry, ALossIsFusedWhereTheEntrySaysSo) {
  const auto seconds = [](const std::string& extra) {
    return predicted(question(std::string(full) + ", extra: {" + extra + "}", "step_time_s: 2.0"));
  };
  EXPECT_LT(seconds("cross_entropy_fusion: true"), seconds("cross_entropy_fusion: false"));
  EXPECT_EQ(seconds("cross_entropy_fusion: false"), seconds(""));
}

// Micro-batches of two short sequences keep the host busier than the GPU.
TEST(TrainingEntry, GraphsAreThoseOfTheEntry) {
  const auto seconds = [](const std::string& extra) {
    return predicted(question(std::string(full) + ", extra: {" + extra + "}", "step_time_s: 2.0"));
  };
  const double eager = seconds("");
  const double attention = seconds("cuda_graph_impl: transformer_engine, cuda_graph_scope: [attn, mamba]");
  const double all = seconds("cuda_graph_impl: full_iteration");
  EXPECT_LT(attention, eager);
  EXPECT_LT(all, attention);
  EXPECT_EQ(seconds("cuda_graph_impl: local, cuda_graph_scope: full_iteration"), all);
}

TEST(TrainingEntry, OnlyAnOptionIsTurnedOnByFsdp) {
  const auto seconds = [](const std::string& fsdp, const std::string& source) {
    return predicted(
        question("model: tiny, num_gpus: 4, precision: BF16, global_batch_size: 16, micro_batch_size: 2, "
                 "seq_length: 1024, tensor_model_parallel_size: 1, pipeline_model_parallel_size: 1, fsdp: " +
                     fsdp,
                 "step_time_s: 2.0", source));
  };
  EXPECT_NE(seconds("1", "Megatron-Bridge"), seconds("0", "Megatron-Bridge"));
  EXPECT_EQ(seconds("1", "The Llama 3 Herd"), seconds("0", "The Llama 3 Herd"));
}

TEST(TrainingEntry, MemoryIsAQuantityOfItsOwn) {
  const Question of = question(full, "step_time_s: 2.0, extra: {peak_memory_gib: 3.5}");
  ASSERT_EQ(of.measurements.size(), 2U);
  EXPECT_EQ(of.measurements[1].quantity, memory_quantity);
  EXPECT_EQ(of.measurements[1].value, 3.5 * 1024 * 1024 * 1024);
}

// 8 layers of 1024 and 32,000 words are 0.2 billion parameters: they fit into any GPU, so that one stage does.
TEST(TrainingEntry, OpenDegreesAreTheFirstThatFit) {
  const Question of = question("model: tiny, num_gpus: 4, global_batch_size: 16, seq_length: 1024", "step_time_s: 2.0");
  EXPECT_THAT(of.answer().assumptions, AllOf(Contains(HasSubstr("tp 1, pp 1, ep 1")), Contains("micro_batch_size: 1"),
                                             Contains("precision: bf16")));
}

TEST(TrainingEntry, DefaultsOfTheAliasesAreAssumptions) {
  const Question of = question("model: tiny by size, num_layers: 4, num_gpus: 4, global_batch_size: 16, "
                               "tensor_model_parallel_size: 1, pipeline_model_parallel_size: 1",
                               "step_time_s: 2.0");
  EXPECT_EQ(of.answer().assumptions.at(0), "seq_length: 2048 (its appendix)");
}

TEST(Aliases, VariantsAreChosenByTheEntry) {
  const Entry entry = entry_of("x", "  config: {model: tiny by size, num_layers: 4}\n  measured: {}\n");
  const Model model = aliases().model_of(entry);
  EXPECT_EQ(integer(model.fields, "num_hidden_layers"), 4);
  EXPECT_EQ(integer(model.fields, "intermediate_size"), 2048);
  const Entry other = entry_of("x", "  config: {model: tiny by size, num_layers: null}\n  measured: {}\n");
  EXPECT_EQ(integer(aliases().model_of(other).fields, "intermediate_size"), 4096);
  EXPECT_THROW(static_cast<void>(aliases().model_of(entry_of("x", "  config: {model: huge}\n  measured: {}\n"))),
               Unpredictable);
}

TEST(Aliases, AllThatIsWrongIsSaidAtOnce) {
  const std::filesystem::path file =
      file_of("models:\n  a: {}\n  b: {variants: [{file: x.json}]}\nentry_defaults: [{field: f}]\n");
  try {
    const Aliases bad(file);
    FAIL();
  } catch (const InputError& error) {
    for (const char* part : {":2:6: models.a.file: missing", ":3:18: models.b.variants.0.when: missing",
                             "entry_defaults.0.source_title: missing", "entry_defaults.0.why: missing"})
      EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(TrainingEntry, SaysWhatCannotBePredicted) {
  const auto reason = [](const std::string& config, const std::string& source) -> std::string {
    try {
      static_cast<void>(question(config, "step_time_s: 1", source));
    } catch (const Unpredictable& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(reason("model: tiny, num_gpus: 4, global_batch_size: 16", "Megatron-LM"), "seq_length is not given");
  EXPECT_EQ(reason("model: tiny, global_batch_size: 16, seq_length: 8", "Megatron-LM"), "num_gpus is not given");
  EXPECT_EQ(reason("model: tiny, num_gpus: 4, global_batch_size: 16, seq_length: 8, precision: FP4", "Megatron-LM"),
            "moesim has no rates of FP4");
}

} // namespace
} // namespace moesim::validation
