#include "simulator/config/quote.hpp"

#include <string>

#include <gtest/gtest.h>

namespace moesim::config {
namespace {

Node scalar(std::string text) {
  Node node;
  node.kind = Node::Kind::Scalar;
  node.scalar = std::move(text);
  return node;
}

TEST(Quote, PlainTextIsShownAsItIs) {
  EXPECT_EQ(shown("h100 caf\u00e9 \u4e2d"), "h100 caf\u00e9 \u4e2d");
}

TEST(Quote, ControlCharactersAreEscaped) {
  EXPECT_EQ(shown(std::string("a\nb\tc\rd\0e\x1b[31m\x7f", 15)), "a\\nb\\tc\\rd\\x00e\\x1b[31m\\x7f");
  EXPECT_EQ(shown("\u009b"), "\\x9b");
}

TEST(Quote, BrokenUtf8HidesNoLineEnd) {
  EXPECT_EQ(shown("\xf0\na"), "\xf0\\na");
}

TEST(Quote, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "...");
  std::string accents;
  std::string cut;
  for (int letter = 0; letter < 70; ++letter) {
    accents += "\u00e9";
    cut += letter < 60 ? "\u00e9" : "";
  }
  EXPECT_EQ(shown(accents), cut + "...");
}

TEST(Quote, DescribesWhatStandsThere) {
  EXPECT_EQ(description(Node{}), "no value");
  EXPECT_EQ(description(scalar("8")), "the number 8");
  EXPECT_EQ(description(scalar("true")), "the boolean true");
  EXPECT_EQ(description(scalar("eight")), "the text \"eight\"");
  Node quoted = scalar("8");
  quoted.quoted = true;
  EXPECT_EQ(description(quoted), "the text \"8\"");
}

} // namespace
} // namespace moesim::config
