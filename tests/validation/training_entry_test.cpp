// Training entries: the scenario that each becomes.
#include <gmock/gmock.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/training_entry.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

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

// The scenario of these fields, by hand; framework Megatron-LM shards the optimizer and overlaps nothing.
double iteration_time(const std::string& training = "") {
  const std::string text =
      "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR "/models/tiny.json}\n"
      "parallel: {tp: 2, pp: 2, dp: 1}\n"
      "training: {global_batch_size: 16, micro_batch_size: 2, seq_length: 1024, recompute: full, sharding: zero-1" +
      training + "}\n";
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
  EXPECT_TRUE(answer.assumptions.empty());
}

TEST(TrainingEntry, RatesFollowFromTheSameRun) {
  const double tokens = question(full, "tokens_per_sec_per_gpu: 9").answer().predictions[0].value;
  EXPECT_NEAR(tokens * iteration_time() / (16.0 * 1024 / 4), 1, 1e-3);
}

TEST(TrainingEntry, WhatTheEntrySaysOverridesItsFramework) {
  const Question of = question(std::string(full) + ", extra: {overlap_grad_reduce: true}, sequence_parallel: false",
                               "step_time_s: 2.0");
  EXPECT_NE(of.answer().predictions[0].value, iteration_time());
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
  EXPECT_THAT(of.answer().assumptions.at(0), HasSubstr("tp 1, pp 1, ep 1"));
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
  EXPECT_EQ(reason(std::string(full), "A blog"), "no rule knows what the framework of 'A blog  ' does");
  EXPECT_EQ(reason("model: tiny, num_gpus: 4, global_batch_size: 16, seq_length: 8, precision: NVFP4", "Megatron-LM"),
            "moesim has no rates of NVFP4");
}

} // namespace
} // namespace moesim::validation
