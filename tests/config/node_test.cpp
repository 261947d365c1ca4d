#include "simulator/config/node.hpp"

#include <gtest/gtest.h>

#include "tests/config/node_text.hpp"

namespace moesim::config {
namespace {

std::string merged(const std::string& base, const std::string& overlay) {
  return node_text(merge(parse_yaml(base, "base.yaml"), parse_yaml(overlay, "overlay.yaml")));
}

TEST(Node, FindsAKeyOfAMapOnly) {
  const Node top = parse_yaml("a: 1\nb: [c]\n", "a.yaml");
  ASSERT_NE(top.find("a"), nullptr);
  EXPECT_EQ(top.find("a")->scalar, "1");
  EXPECT_EQ(top.find("c"), nullptr);
  EXPECT_EQ(top.find("b")->find("c"), nullptr);
}

TEST(Node, MergeGoesIntoMapsAndKeepsTheOrderOfTheBase) {
  EXPECT_EQ(merged("a: 1\nb: {c: 2, d: 3}\n", "e: 5\nb: {d: 4}\n"),
            "{a@1:1: 1@1:4, b@2:1: {c@2:5: 2@2:8, d@2:5: 4@2:8}@2:4, e@1:1: 5@1:4}@1:1");
}

TEST(Node, MergeReplacesListsScalarsAndNulls) {
  EXPECT_EQ(merged("a: [1, 2]\nb: {c: 1}\nd: 1\n", "a: [3]\nb: 2\nd:\n"),
            "{a@1:1: [3@1:5]@1:4, b@2:1: 2@2:4, d@3:1: null@3:1}@1:1");
}

TEST(Node, MergedValuesKnowTheirOwnFile) {
  const Node both = merge(parse_yaml("a: 1\nb: 1\n", "base.yaml"), parse_yaml("b: 2\n", "overlay.yaml"));
  EXPECT_EQ(both.find("a")->position.file, "base.yaml");
  EXPECT_EQ(both.find("b")->position.file, "overlay.yaml");
}

} // namespace
} // namespace moesim::config
