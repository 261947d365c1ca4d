// Inference entries: what a server makes of the work of one batch.
#include <gtest/gtest.h>

#include "simulator/execution/ideal_executor.hpp"
#include "simulator/run/simulate.hpp"
#include "simulator/scenario/scenario.hpp"
#include "simulator/validation/inference_entry.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

const Vocabulary vocabulary = read_vocabulary();

constexpr const char* rest = "  config: {model: tiny, num_gpus: 2, precision: bf16, mode: agg, phase: both, "
                             "tensor_model_parallel_size: 2, backend: vllm,\n"
                             "           input_length: 256, output_length: 8, batch_size: 4, concurrency: 4.0}\n"
                             "  measured: {ttft_ms: 10, tpot_ms: 1}\n";

Question question(const std::string& source) {
  return inference_question(entry_of("h100_sxm", rest, source), Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary);
}

record::RunFigures batch() {
  const std::string text =
      "version: 1\nplatform: {base: dgx-h100, nodes: 1}\nmodel: {base: " MOESIM_TEST_DIR "/models/tiny.json}\n"
      "parallel: {tp: 2, dp: 1}\ninference: {batch_size: 4, prompt_length: 256, output_length: 8}\n";
  execution::IdealExecutor executor;
  return run::simulate(scenario::parse(text, "by hand", {}), executor, {}).figures;
}

// A prompt is a fourth of the four that the batch begins with; of requests that are all there at the start one waits
// for 1.5 others on average; what is left of the batch goes over 7 further tokens.
TEST(ServedBatch, PromptsComeOneByOne) {
  const Answer answer = question("A report").answer();
  const record::RunFigures of = batch();
  const double prompt = of.ttft / 4;
  EXPECT_NEAR(answer.predictions[0].value / (prompt * 2.5 * 1e3), 1, 1e-6);
  EXPECT_NEAR(answer.predictions[1].value / ((of.makespan - prompt) / 7 * 1e3), 1, 1e-6);
  EXPECT_EQ(answer.assumptions.at(0), "all requests are there at the start");
}

// Ten requests for each that is under way: only a tenth of them meets the others' prompts.
TEST(ServedBatch, OnlyTheFirstRoundWaits) {
  const double first = question("InferenceMAX dumps").answer().predictions[0].value;
  EXPECT_NEAR(first / (batch().ttft / 4 * (1 + 1.5 / 10) * 1e3), 1, 1e-6);
}

TEST(ServedBatch, PhasesByThemselvesAreSkipped) {
  Entry entry = entry_of("h100_sxm", rest, "A report");
  config::set(entry.config, "phase=decode");
  EXPECT_THROW(static_cast<void>(inference_question(entry, Aliases(MOESIM_TEST_DIR "/aliases.yaml"), vocabulary)),
               Unpredictable);
}

} // namespace
} // namespace moesim::validation
