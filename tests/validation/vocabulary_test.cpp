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

TEST(Vocabulary, ReleasesAreOrderedByTheirNumbers) {
  const auto is_of = [](const std::string& bounds, const char* release) {
    return is_of_release(config::parse_yaml("{" + bounds + "}", "test"), release);
  };
  EXPECT_TRUE(is_of("since: '0.5.6'", "0.5.10"));
  EXPECT_TRUE(is_of("since: '0.5.6'", "0.5.6.post2"));
  EXPECT_FALSE(is_of("since: '0.5.6'", "0.5.5.post3"));
  EXPECT_FALSE(is_of("since: '0.12'", "0.9.2"));
  EXPECT_TRUE(is_of("since: '0.12'", "v0.12.0+cu129"));
  EXPECT_TRUE(is_of("until: '0.12'", "v0.12.0+cu129"));
  EXPECT_FALSE(is_of("since: 1.2.0", "1.2.0rc6.post3")); // a candidate
  EXPECT_TRUE(is_of("since: 1.2.0rc4", "1.2.0rc10"));
  EXPECT_TRUE(is_of("since: 1.2.0rc4", "1.2.0"));
  EXPECT_FALSE(is_of("since: 1.2.0rc4", "1.2.0rc3"));
  EXPECT_FALSE(is_of("until: '0.12'", "0.12.1"));
}

TEST(Vocabulary, ARuleForReleasesIsNotForWhatHasNone) {
  const config::Node rules = config::parse_yaml("list: [{words: [], since: '2', is: 1}, {words: [], is: 2}]", "test");
  EXPECT_EQ(first_rule(rules, "list", "a", "2.1")->find("is")->scalar, "1");
  for (const char* release : {"1.9", "", "gpt-oss-dev"})
    EXPECT_EQ(first_rule(rules, "list", "a", release)->find("is")->scalar, "2") << release;
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
        const config::Node* since = rule.find("since");
        EXPECT_EQ(first_rule(*section, list.key, text, since == nullptr ? "" : since->scalar), &rule)
            << list.key << ": " << text;
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
