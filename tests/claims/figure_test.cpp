// What a figure of a document means, and what is said of one that cannot be read.
#include "simulator/claims/figure.hpp"

#include <gtest/gtest.h>

namespace moesim::claims {
namespace {

config::Reading<Figure> read(const std::string& text, Measure measure) {
  config::Node node;
  node.kind = config::Node::Kind::Scalar;
  node.scalar = text;
  return read_figure(node, measure);
}

Figure figure(const std::string& text, Measure measure) {
  const config::Reading<Figure> reading = read(text, measure);
  EXPECT_TRUE(reading.value) << text << ": " << reading.problem;
  return reading.value.value_or(Figure{});
}

TEST(Figure, IsInBaseUnits) {
  EXPECT_DOUBLE_EQ(figure("58.6MB", Measure::Size).value, 58.6e6);
  EXPECT_DOUBLE_EQ(figure("2 GiB", Measure::Size).value, 2147483648.0);
  EXPECT_DOUBLE_EQ(figure("0.2ms", Measure::Time).value, 2e-4);
  EXPECT_DOUBLE_EQ(figure("98.4 tokens/ms", Measure::TokenRate).value, 98400);
  EXPECT_DOUBLE_EQ(figure("30.7 GB/ms", Measure::Bandwidth).value, 30.7e12);
  EXPECT_DOUBLE_EQ(figure("400Gb/s", Measure::Bandwidth).value, 50e9);
  EXPECT_DOUBLE_EQ(figure("25%", Measure::Share).value, 0.25);
  EXPECT_DOUBLE_EQ(figure("30B", Measure::Parameters).value, 30e9);
  EXPECT_DOUBLE_EQ(figure("512", Measure::Count).value, 512);
}

TEST(Figure, IsANumberABoundOrASpan) {
  EXPECT_EQ(figure("6s", Measure::Time).relation, Relation::Equal);
  EXPECT_EQ(figure("< 6s", Measure::Time).relation, Relation::Below);
  EXPECT_EQ(figure(">90%", Measure::Share).relation, Relation::Above);
  const Figure span = figure("15-20%", Measure::Share);
  EXPECT_EQ(span.relation, Relation::Between);
  EXPECT_DOUBLE_EQ(span.value, 0.15);
  EXPECT_DOUBLE_EQ(span.upper, 0.20);
}

// Half a unit of the last digit; zeros before the point are no digits that were measured; 5 % at most; of counts and
// bounds nothing.
TEST(Figure, IsRoundedAsItIsPrinted) {
  EXPECT_DOUBLE_EQ(figure("58.6MB", Measure::Size).rounding, 0.05e6);
  EXPECT_DOUBLE_EQ(figure("0.016s", Measure::Time).rounding, 0.0005);
  EXPECT_DOUBLE_EQ(figure("4.0s", Measure::Time).rounding, 0.05);
  EXPECT_DOUBLE_EQ(figure("6300 tokens/ms", Measure::TokenRate).rounding, 50e3);
  EXPECT_DOUBLE_EQ(figure("32768 tokens/s", Measure::TokenRate).rounding, 0.5);
  EXPECT_DOUBLE_EQ(figure("8000 tokens/s", Measure::TokenRate).rounding, 400);
  EXPECT_DOUBLE_EQ(figure("2GB", Measure::Size).rounding, 0.1e9);
  EXPECT_DOUBLE_EQ(rounding_of("1.25e3", Measure::Size), 5);
  EXPECT_EQ(figure("500", Measure::Count).rounding, 0);
  EXPECT_EQ(figure("< 6s", Measure::Time).rounding, 0);
}

TEST(Figure, SaysWhatWouldBeRight) {
  EXPECT_EQ(read("16GB", Measure::Time).problem, "found the text \"16GB\"; expected a number with a unit of s, ms, us, "
                                                 "such as 2s, \"< 2s\" or 2-4s");
  EXPECT_EQ(read("16 GPUs", Measure::Count).problem,
            "found the text \"16 GPUs\"; expected a number without a unit, such as 2, \"< 2\" or 2-4");
  for (const char* text : {"", "GB", "-2GB", "4-2GB", "2-GB", "<< 2GB", "2", "2e999GB", "2GB 3GB", "< 2-4GB"})
    EXPECT_FALSE(read(text, Measure::Size).value) << text;
  config::Node list;
  list.kind = config::Node::Kind::Sequence;
  EXPECT_EQ(read_figure(list, Measure::Count).problem,
            "found a list; expected a number without a unit, such as 2, \"< 2\" or 2-4");
}

TEST(Figure, IsShownInTheUnitOfTheDocument) {
  EXPECT_EQ(value_text(0.0286121, {"ms", 1e-3}), "28.61 ms");
  EXPECT_EQ(value_text(4294967296.0, {"", 1}), "4,294,967,296");
  EXPECT_EQ(value_text(4096000.4, {"sequences/s", 1}), "4,096,000 sequences/s");
  EXPECT_EQ(value_text(0.25, {"%", 0.01}), "25 %");
  EXPECT_EQ(value_text(0.75, {"x", 1}), "0.75x");
  EXPECT_EQ(value_text(2.5, {"", 1}), "2.5");
}

} // namespace
} // namespace moesim::claims
