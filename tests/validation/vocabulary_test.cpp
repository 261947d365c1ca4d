// Words, and the rules that moesim comes with.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulator/config/catalogue.hpp"
#include "simulator/validation/vocabulary.hpp"

namespace moesim::validation {
namespace {

bool has(const std::string& text, const std::string& words) {
  return has_words(text, *config::parse_yaml("words: " + words, "test").find("words"));
}

TEST(Vocabulary, WordsAreWholeAndInAnyCase) {
  EXPECT_TRUE(has("one node, 8x A100-SXM4-40GB", "[a100, 40GB]"));
  EXPECT_TRUE(has("h200_sxm", "[H200]"));
  EXPECT_TRUE(has("2048xH800", "[H800]"));
  EXPECT_TRUE(has("x", "[]"));
  EXPECT_FALSE(has("GB200 NVL72", "[B200]"));
  EXPECT_FALSE(has("H100", "[H100, 96GB]"));
  EXPECT_FALSE(has("H100x", "[H100]"));
}

TEST(Vocabulary, TheFirstRuleThatMatchesCounts) {
  const config::Node rules =
      config::parse_yaml("list: [{words: [a, b], is: 1}, {words: [a], is: 2}, {words: [b], is: 3}]", "test");
  EXPECT_EQ(first_rule(rules, "list", "b of a")->find("is")->scalar, "1");
  EXPECT_EQ(first_rule(rules, "list", "a")->find("is")->scalar, "2");
  EXPECT_EQ(first_rule(rules, "list", "c"), nullptr);
}

// A rule that is below a more general one would never match.
TEST(Vocabulary, NoRuleIsHiddenByAnother) {
  const Vocabulary vocabulary = read_vocabulary();
  for (const config::Node* section :
       {&vocabulary.systems, &vocabulary.collectives, &vocabulary.kernels, &vocabulary.inference, &vocabulary.training})
    for (const config::Entry& list : section->entries)
      for (const config::Node& rule : list.value.items) {
        const config::Node* words = rule.find("words");
        if (words == nullptr)
          continue;
        std::string text;
        for (const config::Node& word : words->items)
          text += word.scalar + " ";
        EXPECT_EQ(first_rule(*section, list.key, text), &rule) << list.key << ": " << text;
      }
}

TEST(Vocabulary, SystemsAreClustersOfTheCatalogue) {
  const std::vector<std::string> names = config::catalogue_names(config::CatalogueKind::Cluster);
  const Vocabulary vocabulary = read_vocabulary();
  for (const config::Node& rule : vocabulary.systems.find("platforms")->items) {
    const config::Node* base = rule.find("base");
    if (base != nullptr) {
      EXPECT_EQ(std::ranges::count(names, base->scalar), 1) << base->scalar;
    }
  }
}

} // namespace
} // namespace moesim::validation
