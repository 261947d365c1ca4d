// Frameworks of training entries, and sources that add one thing after the other.
#include <gmock/gmock.h>

#include "simulator/validation/training_source.hpp"
#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

// A source of four steps, of which the third brings another framework and the last takes something back.
Vocabulary with_steps() {
  Vocabulary vocabulary;
  vocabulary.training = config::parse_yaml("frameworks:\n"
                                           "- words: [Guide]\n"
                                           "  framework: one\n"
                                           "  steps:\n"
                                           "  - {words: [Baseline], set: {a: 1, b: 1}}\n"
                                           "  - {words: [Graphs], set: {b: 2}}\n"
                                           "  - {words: [Graphs, again], framework: two, set: {c: 3}}\n"
                                           "  - {words: [Fast, link], set: {a: null}}\n"
                                           "- {words: [], framework: any}\n",
                                           "test");
  return vocabulary;
}

// "one a=1 b=1"
std::string rule_of(const std::string& config, std::vector<std::string>& assumptions) {
  const Entry entry = entry_of("GB200", "  config: {task: pretrain" + config + "}\n  measured: {}\n", "A Guide");
  const config::Node rule = framework_of(entry, with_steps(), assumptions);
  std::string text = rule.find("framework")->scalar;
  for (const config::Entry& field : rule.find("set")->entries)
    text += " " + field.key + "=" + field.value.scalar;
  return text;
}

std::string rule_of(const std::string& config) {
  std::vector<std::string> assumptions;
  const std::string rule = rule_of(config, assumptions);
  EXPECT_THAT(assumptions, testing::IsEmpty());
  return rule;
}

TEST(TrainingSource, AStepHasWhatTheOnesBeforeItHave) {
  EXPECT_EQ(rule_of(", cumulative_step: Baseline"), "one a=1 b=1");
  EXPECT_EQ(rule_of(", cumulative_step: '+ Graphs'"), "one a=1 b=2");
  EXPECT_EQ(rule_of(", cumulative_step: Graphs once again"), "two a=1 b=2 c=3"); // the words that say more
  EXPECT_EQ(rule_of(", cumulative_step: Fast, moe_token_dispatcher: link"), "two b=2 c=3");
}

TEST(TrainingSource, WhatIsNoStepHasAllOfThem) {
  EXPECT_EQ(rule_of(""), "two b=2 c=3");
}

TEST(TrainingSource, AStepThatNoRuleKnowsIsTakenForTheLast) {
  std::vector<std::string> assumptions;
  EXPECT_EQ(rule_of(", cumulative_step: Magic", assumptions), "two b=2 c=3");
  EXPECT_THAT(assumptions, testing::ElementsAre("no rule knows the step 'Magic', taken for the last"));
}

} // namespace
} // namespace moesim::validation
