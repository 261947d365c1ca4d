// What recipes fill in, and where.
#include "simulator/validation/recipes.hpp"

#include <gmock/gmock.h>

#include "tests/validation/entry_text.hpp"

namespace moesim::validation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Vocabulary real = read_vocabulary();

Vocabulary with(const std::string& rules) {
  Vocabulary vocabulary = real;
  vocabulary.recipes = config::parse_yaml("F:\n  list:\n" + rules, "recipes.yaml");
  return vocabulary;
}

TrainingFields fields_of(const std::string& config) {
  TrainingFields fields;
  fields.entry = entry_of("x", "  config: {model: Some Model 7B, " + config + "}\n  measured: {}\n");
  fields.framework = "F";
  fields.system.hardware = "B200";
  fields.precision = "mxfp8";
  fields.release = "26.02.01";
  return fields;
}

// "A", "B", ...: the letter of the rule that counts; "" for none.
std::string chosen(const std::string& rules, const std::string& config = "pipeline_model_parallel_size: 8") {
  TrainingFields fields = fields_of(config);
  complete_by_recipe(fields, with(rules));
  return text(fields.entry.config, "letter").value_or("");
}

TEST(Recipes, TheFirstRuleCountsWhoseConditionsAllHold) {
  const std::string last = "  - {config: {letter: Z}}\n";
  EXPECT_EQ(chosen("  - {model: [model, 7b], config: {letter: A}}\n" + last), "A");
  EXPECT_EQ(chosen("  - {model: [model, 8b], config: {letter: A}}\n" + last), "Z");
  EXPECT_EQ(chosen("  - {hardware: [GB200, B200], precisions: [mxfp8], config: {letter: A}}\n" + last), "A");
  EXPECT_EQ(chosen("  - {hardware: [GB200], config: {letter: A}}\n" + last), "Z");
  EXPECT_EQ(chosen("  - {precisions: [bf16], config: {letter: A}}\n" + last), "Z");
  EXPECT_EQ(chosen("  - {when: {pipeline_model_parallel_size: 8}, config: {letter: A}}\n" + last), "A");
  EXPECT_EQ(chosen("  - {when: {pipeline_model_parallel_size: 4}, config: {letter: A}}\n" + last), "Z");
  EXPECT_EQ(chosen("  - {hardware: [H100], config: {letter: A}}\n"), "");
}

TEST(Recipes, ReleasesCountFromAndUpToTheirPatches) {
  const auto is_within = [](const std::string& bounds) {
    return !chosen("  - {" + bounds + ", config: {letter: A}}\n").empty();
  };
  EXPECT_TRUE(is_within("since: '26.02'"));
  EXPECT_TRUE(is_within("since: '26.02.01', until: '26.02.01'"));
  EXPECT_FALSE(is_within("since: '26.04'"));
  EXPECT_FALSE(is_within("until: '26.02'"));
}

TEST(Recipes, WhatTheEntrySaysStays) {
  TrainingFields fields = fields_of("a: mine, b: null, extra: {c: mine, d: null}");
  complete_by_recipe(fields, with("  - {config: {a: theirs, b: theirs, c: theirs, d: theirs, e: [1, 2]}}\n"));
  EXPECT_EQ(text(fields.entry.config, "a"), "mine");
  EXPECT_EQ(text(fields.entry.config, "b"), "theirs");
  EXPECT_EQ(text(fields.entry.config, "c"), "mine");
  EXPECT_EQ(text(fields.entry.config, "d"), "theirs");
  EXPECT_THAT(fields.assumptions, ElementsAre("by the framework's recipe: b theirs; d theirs; e 1, 2"));
}

TEST(Recipes, NothingIsSaidOfOtherFrameworks) {
  TrainingFields fields = fields_of("a: mine");
  fields.framework = "G";
  complete_by_recipe(fields, with("  - {config: {b: theirs}}\n"));
  EXPECT_THAT(fields.assumptions, IsEmpty());
}

TEST(Recipes, OfEachListOneRuleCounts) {
  TrainingFields fields = fields_of("a: 1");
  complete_by_recipe(fields, with("  - {config: {b: first}}\n  - {config: {c: second}}\n"
                                  "  other:\n  - {when: {absent: 1}, config: {b: third, d: third}}\n"));
  EXPECT_THAT(fields.assumptions, ElementsAre("by the framework's recipe: b first; d third"));
}

// A key that nobody reads would be a setting that is lost.
TEST(Recipes, SetOnlyWhatEntriesHave) {
  for (const config::Entry& framework : real.recipes.entries)
    for (const config::Entry& list : framework.value.entries)
      for (const config::Node& rule : list.value.items)
        for (const config::Entry& field : rule.find("config")->entries) {
          const bool is_switch =
              std::ranges::any_of(real.training.find("switches")->items,
                                  [&](const config::Node& one) { return one.find("field")->scalar == field.key; });
          EXPECT_TRUE(is_switch || field.key == "moe_token_dispatcher" || field.key == "recompute" ||
                      field.key == "pp_layout" || field.key == "cuda_graph_scope" || field.key == "cuda_graph_impl")
              << field.key;
        }
}

} // namespace
} // namespace moesim::validation
