// Rules by which a scenario follows its sequence length and its memory.
#include "simulator/scenario/adapt.hpp"

#include <gmock/gmock.h>

#include "simulator/base/input_error.hpp"
#include "tests/scenario/scenario_text.hpp"

namespace moesim::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using workloads::Recompute;

// Tensor parallelism by length, as one of the deployment documents has it, and recomputation above one.
const std::string by_length =
    "version: 1\n"
    "platform: {base: dgx-h100, nodes: 2}\n"
    "model: mixtral-8x7b\n"
    "parallel: {tp: 1, ep: 8, dp: 16}\n"
    "training: {global_batch_size: 64, micro_batch_size: 4, seq_length: 512}\n"
    "adapt:\n"
    "  - {when: {seq_length: {above: 512, up_to: 2048}}, set: {training.micro_batch_size: 2}}\n"
    "  - when: {seq_length: {above: 2048}}\n"
    "    set: {training.recompute: full, parallel.tp: 2, parallel.dp: 8}\n";

Scenario at_length(int tokens, std::vector<std::string> more = {}) {
  more.push_back("training.seq_length=" + std::to_string(tokens));
  return load_text(by_length, more);
}

TEST(Adapt, FollowsTheSequenceLength) {
  const Scenario brief = at_length(512);
  EXPECT_THAT(brief.adaptations, IsEmpty());
  EXPECT_EQ(brief.training_job().training.micro_batch_size, 4);
  for (const int tokens : {513, 2048})
    EXPECT_EQ(at_length(tokens).training_job().training.micro_batch_size, 2) << tokens;
  const Scenario lengthy = at_length(2049);
  EXPECT_EQ(lengthy.training_job().training.micro_batch_size, 4);
  EXPECT_TRUE(lengthy.training_job().training.recompute.is_full());
  EXPECT_EQ(lengthy.job().sizes.tp, 2);
  ASSERT_EQ(lengthy.adaptations.size(), 1u);
  EXPECT_EQ(describe(lengthy.adaptations[0]),
            "seq_length 2049 is above 2048: training.recompute=full, parallel.tp=2, parallel.dp=8");
}

TEST(Adapt, PromptsHaveALengthToo) {
  const std::string prompts = "version: 1\nplatform: {base: dgx-h100, nodes: 2}\nmodel: mixtral-8x7b\n"
                              "inference: {batch_size: 64, prompt_length: 100, output_length: 10}\n"
                              "adapt: [{when: {seq_length: {above: 1000}}, set: {inference.batch_size: 32}}]\n";
  EXPECT_EQ(load_text(prompts).inference_job().inference.batch_size, 64);
  EXPECT_EQ(load_text(prompts, {"inference.prompt_length=1001"}).inference_job().inference.batch_size, 32);
}

TEST(Adapt, SetHasTheLastWord) {
  const Scenario scenario = at_length(4096, {"training.recompute=selective"});
  EXPECT_EQ(scenario.training_job().training.recompute.granularity, Recompute::Granularity::Selective);
  EXPECT_EQ(scenario.job().sizes.tp, 2);
  // The same field under its other name, and a section as a whole.
  EXPECT_EQ(at_length(4096, {"parallel.tensor_model_parallel_size=4", "parallel.dp=4"}).job().sizes.tp, 4);
  EXPECT_EQ(at_length(4096, {"parallel={ep: 8}"}).job().sizes.tp, 1);
  EXPECT_FALSE(at_length(4096, {"adapt=[]"}).training_job().training.recompute.is_full());
}

// The smallest of the changes that fit, in the order in which they are listed.
TEST(Adapt, ShrinksTheBatchUntilItFits) {
  const std::string text = "version: 1\nplatform: {base: dgx-h100, nodes: 2}\nmodel: mixtral-8x7b\n"
                           "parallel: {ep: 8, dp: 16}\n"
                           "training: {global_batch_size: 128, micro_batch_size: 8, seq_length: 4096, sharding: "
                           "zero-3}\n"
                           "adapt:\n"
                           "  - {when: {memory: {above: 1}}, set: {training.micro_batch_size: 4}}\n"
                           "  - {when: {memory: {above: 1}}, set: {training.micro_batch_size: 2}}\n"
                           "  - {when: {memory: {above: 1}}, set: {training.micro_batch_size: 1}}\n"
                           "  - {when: {memory: {above: 1}}, set: {training.recompute: full}}\n"
                           "  - {when: {memory: {above: 1}}, set: {training.seq_length: 2048}}\n";
  const Scenario scenario = load_text(text);
  const Bytes capacity = scenario.cluster.gpu.usable_memory();
  EXPECT_LE(estimated_memory(scenario), capacity);
  ASSERT_FALSE(scenario.adaptations.empty());
  // Without the last of them it would not have fitted.
  std::vector<std::string> all_but_one{"adapt=[]"};
  for (std::size_t at = 0; at + 1 < scenario.adaptations.size(); ++at)
    all_but_one.insert(all_but_one.end(), scenario.adaptations[at].assignments.begin(),
                       scenario.adaptations[at].assignments.end());
  EXPECT_GT(estimated_memory(load_text(text, all_but_one)), capacity);
  EXPECT_EQ(scenario.training_job().training.seq_length, 4096);
  EXPECT_THAT(scenario.adaptations.front().reason, HasSubstr("is above 100 %"));
}

// What is written down has the settings, and says why; it needs no rules any more.
TEST(Adapt, IsWrittenDown) {
  const Scenario scenario = at_length(4096);
  const std::string resolved = resolved_yaml(scenario);
  EXPECT_THAT(resolved, testing::StartsWith("# adapted: seq_length 4096 is above 2048: training.recompute=full, "
                                            "parallel.tp=2, parallel.dp=8\nversion: 1\n"));
  const std::string again = resolved_yaml(load_text(resolved));
  EXPECT_EQ(resolved, "# adapted: " + describe(scenario.adaptations[0]) + "\n" + again);
}

TEST(Adapt, ThatWhichDoesNotReadIsReportedInItsPlace) {
  const auto problems_of = [](const std::string& rules, int tokens = 4096) {
    std::vector<std::string> messages;
    try {
      (void)load_text(by_length.substr(0, by_length.find("adapt:")) + "adapt:\n" + rules,
                      {"training.seq_length=" + std::to_string(tokens)});
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems())
        messages.push_back(std::to_string(problem.position.line) + ":" + std::to_string(problem.position.column) +
                           ": " + problem.field + ": " + problem.message);
    }
    return messages;
  };
  EXPECT_THAT(problems_of("  - {when: {seq_length: {over: 3}}, set: {training.recompute: full}}\n"),
              ElementsAre("7:26: adapt.0.when.seq_length.over: unknown key 'over'; known keys are above, up_to"));
  EXPECT_THAT(problems_of("  - {when: {}, set: {training.recompute: full}}\n"),
              ElementsAre("7:12: adapt.0.when: no condition; expected seq_length, memory or both, such as "
                          "{seq_length: {above: 2048}}"));
  EXPECT_THAT(problems_of("  - {when: {seq_length: {}}, set: {training.recompute: full}}\n"),
              ElementsAre("7:25: adapt.0.when.seq_length: no length; expected above, up_to or both, such as {above: "
                          "2048, up_to: 4096}"));
  EXPECT_THAT(problems_of("  - {when: {memory: {above: much}}, set: {adapt.0: 3}}\n"),
              ElementsAre(HasSubstr("7:29: adapt.0.when.memory.above: found the text \"much\"; expected a number from "
                                    "0 to 100"),
                          "7:42: adapt.0.set: 'adapt.0' is not the run's; expected a field of another section, such "
                          "as training"));
  EXPECT_THAT(problems_of("  - {when: {seq_length: {above: 1}}, set: {framework: fsdp}}\n"),
              ElementsAre(HasSubstr("adapt.0.set: 'framework' is not the run's")));
  EXPECT_THAT(problems_of("  - {when: {seq_length: {above: 1}}, set: []}\n"),
              ElementsAre("7:43: adapt.0.set: found a list; expected fields of the scenario with their values, such as "
                          "{training.recompute: full}"));
  // A value is read where it is set, and a path where it is written.
  EXPECT_THAT(problems_of("  - {when: {seq_length: {above: 1}}, set: {training.recompute: ful}}\n"),
              ElementsAre("7:64: training.recompute: unknown value 'ful'; did you mean 'full'? expected one of "
                          "full, none, selective"));
  EXPECT_THAT(problems_of("  - {when: {seq_length: {above: 1}}, set: {training.recompte: full}}\n"),
              ElementsAre(HasSubstr("7:53: training.recompte: unknown key")));
  EXPECT_THAT(problems_of("  - {when: {seq_length: {above: 1}}, set: {model.x..y: full}}\n"),
              ElementsAre("7:52: : a name is missing in the path; expected path.to.field"));
}

} // namespace
} // namespace moesim::scenario
